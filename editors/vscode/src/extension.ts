/** The extension: starts `shapelint lsp` for the Python files of a trusted workspace, and starts it again where asked. */

import { PythonExtension } from "@vscode/python-extension";
import { commands, type ExtensionContext, extensions, type LogOutputChannel, window, workspace } from "vscode";
import { CloseAction, ErrorAction, LanguageClient, type LanguageClientOptions } from "vscode-languageclient/node";

import { serverCommand, startServer } from "./server";

/** Settings that mean another server; the others are told to the one that runs. */
const OF_THE_START = ["shapelint.path", "shapelint.interpreter"];

let client: LanguageClient | undefined;
let turn: Promise<void> = Promise.resolve();

export async function activate(context: ExtensionContext): Promise<void> {
  const output = window.createOutputChannel("shapelint", { log: true });
  const again = (): Promise<void> => {
    turn = turn.then(stop).then(() => start(output));
    return turn;
  };
  context.subscriptions.push(
    output,
    commands.registerCommand("shapelint.restart", again),
    commands.registerCommand("shapelint.showOutput", () => output.show()),
    workspace.onDidChangeConfiguration(async (change) => {
      if (OF_THE_START.some((name) => change.affectsConfiguration(name))) {
        await again();
      }
    }),
  );
  const python = await pythonExtension();
  if (python !== undefined) {
    context.subscriptions.push(python.environments.onDidChangeActiveEnvironmentPath(again));
  }
  await again();
}

export async function deactivate(): Promise<void> {
  await turn;
  await stop();
}

async function stop(): Promise<void> {
  const running = client;
  client = undefined;
  if (running?.isRunning()) {
    await running.stop();
  }
}

async function start(output: LogOutputChannel): Promise<void> {
  const settings = workspace.getConfiguration("shapelint");
  const folder = workspace.workspaceFolders?.[0]?.uri.fsPath;
  const named = { path: settings.get("path", ""), interpreter: settings.get("interpreter", "") };
  const command = serverCommand(named, await chosenPython(), folder);
  output.info(`starts ${[command.program, ...command.args].join(" ")}`);
  const said: string[] = [];
  const run = () => startServer(command, folder, (text) => said.push(text));
  const made = new LanguageClient("shapelint", "shapelint", run, options(output));
  try {
    await made.start();
    if (!made.isRunning()) {
      throw new Error("it ended"); // the client does not reject where its server ends before it answers
    }
    client = made;
  } catch (error) {
    const reason = said.join("").trim().split("\n").at(-1) || String(error);
    const install = "Install it with `pip install 'shapelint[lsp]'`, or name the Python that has it in `shapelint.interpreter`.";
    output.error(reason);
    void window.showErrorMessage(`shapelint did not start: ${reason}. ${install}`);
  }
}

function options(output: LogOutputChannel): LanguageClientOptions {
  const { inlayHints, codeLens, timeout, rulePage } = workspace.getConfiguration("shapelint");
  return {
    documentSelector: [{ scheme: "file", language: "python" }],
    initializationOptions: { trusted: workspace.isTrusted, inlayHints, codeLens, timeout, rulePage },
    synchronize: { configurationSection: "shapelint" },
    outputChannel: output,
    initializationFailedHandler: () => false,
    errorHandler: {
      error: () => ({ action: ErrorAction.Continue }),
      closed: () => {
        const message = "shapelint: the server ended; see its output.";
        return { action: CloseAction.DoNotRestart, message, handled: client === undefined };
      },
    },
  };
}

async function pythonExtension(): Promise<PythonExtension | undefined> {
  return extensions.getExtension("ms-python.python") === undefined ? undefined : PythonExtension.api();
}

async function chosenPython(): Promise<string | undefined> {
  const python = await pythonExtension();
  const folder = workspace.workspaceFolders?.[0]?.uri;
  const path = python?.environments.getActiveEnvironmentPath(folder);
  const found = path && (await python?.environments.resolveEnvironment(path));
  return found?.executable.uri?.fsPath;
}
