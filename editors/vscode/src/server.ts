/** Which command starts `shapelint lsp`, and how it is started: all that can be tested without an editor. */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** What the settings name: the program, or the Python that has it; "" where they name none. */
export interface Settings {
  path: string;
  interpreter: string;
}

/** A program and its arguments. */
export interface Command {
  program: string;
  args: string[];
}

/**
 * The command that starts the server: the program or the Python of the settings, the Python that another extension
 * has chosen, one of an environment in the folder, or that of the path.
 */
export function serverCommand(settings: Settings, chosen: string | undefined, folder: string | undefined): Command {
  if (settings.path) {
    return { program: within(settings.path, folder), args: ["lsp"] };
  }
  const python = settings.interpreter ? within(settings.interpreter, folder) : (chosen ?? ownPython(folder));
  // -P: a `torch.py` or `typing.py` of the folder is no part of the server.
  return { program: python, args: ["-P", "-m", "shapelint", "lsp"] };
}

/** Starts the server; rejects where the program cannot be run. What it says on standard error goes to `log`. */
export function startServer(command: Command, folder: string | undefined, log: (text: string) => void): Promise<ChildProcess> {
  return new Promise((resolve, reject) => {
    const server = spawn(command.program, command.args, { cwd: folder, stdio: "pipe" });
    server.stderr.on("data", (data: Buffer) => log(data.toString("utf-8")));
    server.once("spawn", () => resolve(server));
    server.once("error", (error) => reject(new Error(`${command.program}: ${error.message}`)));
  });
}

function within(path: string, folder: string | undefined): string {
  return folder === undefined ? path : path.replaceAll("${workspaceFolder}", folder);
}

function ownPython(folder: string | undefined): string {
  const windows = process.platform === "win32";
  const inside = windows ? join("Scripts", "python.exe") : join("bin", "python");
  const places = folder === undefined ? [] : [".venv", "venv"].map((name) => join(folder, name, inside));
  return places.find((place) => existsSync(place)) ?? (windows ? "python" : "python3");
}
