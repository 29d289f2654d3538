// The real server, started by the function that the extension uses and asked as the extension's client asks it.
// PYTHON names the Python that has shapelint; without it that of the path is taken.

import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { pathToFileURL } from "node:url";

const require = createRequire(import.meta.url);
const { serverCommand, startServer } = require("../out/server.js");
const { createProtocolConnection, StreamMessageReader, StreamMessageWriter } = require("vscode-languageserver-protocol/node");

const NET = `from torch import nn


# shapelint: input=1,3,6,6
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1)

    def forward(self, x):
        return self.up(self.down(x))
`;
const unnamed = { path: "", interpreter: "" };
let folder;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "shapelint-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a file that is opened gets diagnostics and hints", { timeout: 120_000 }, async () => {
  const file = join(folder, "net.py");
  const uri = pathToFileURL(file).href;
  writeFileSync(file, NET);
  writeFileSync(join(folder, "typing.py"), "raise SystemExit('the server must not import what lies in the folder')\n");
  const said = [];
  const command = serverCommand({ ...unnamed, interpreter: process.env.PYTHON ?? "python3" }, undefined, folder);
  const server = await startServer(command, folder, (text) => said.push(text));
  const ended = new Promise((resolve) => server.once("exit", resolve));
  const connection = createProtocolConnection(new StreamMessageReader(server.stdout), new StreamMessageWriter(server.stdin));
  const told = new Promise((resolve) => connection.onNotification("textDocument/publishDiagnostics", resolve));
  connection.listen();
  const { capabilities } = await connection.sendRequest("initialize", {
    processId: process.pid,
    rootUri: null,
    capabilities: {},
    workspaceFolders: [{ uri: pathToFileURL(folder).href, name: "net" }],
    initializationOptions: { trusted: true, inlayHints: true, codeLens: true, timeout: 60, rulePage: "" },
  });
  assert.ok(capabilities.inlayHintProvider);
  await connection.sendNotification("initialized", {});
  await connection.sendNotification("textDocument/didOpen", {
    textDocument: { uri, languageId: "python", version: 1, text: NET },
  });
  const { diagnostics } = await told;
  assert.deepEqual(diagnostics.map(({ code }) => code), ["SL101"], said.join(""));
  const range = { start: { line: 0, character: 0 }, end: { line: 100, character: 0 } };
  const hints = await connection.sendRequest("textDocument/inlayHint", { textDocument: { uri }, range });
  assert.deepEqual(hints.map(({ position, label }) => [position.line, label]), [
    [11, "1,3,2*((H + 1)//2) - 1,2*((W + 1)//2) - 1"],
  ]);
  await connection.sendRequest("shutdown");
  await connection.sendNotification("exit");
  assert.equal(await ended, 0);
});

test("the settings come before the environment that was chosen, and that before those of the folder", () => {
  const inside = process.platform === "win32" ? ["Scripts", "python.exe"] : ["bin", "python"];
  const module = ["-P", "-m", "shapelint", "lsp"];
  const outside = process.platform === "win32" ? "python" : "python3";
  assert.deepEqual(serverCommand(unnamed, undefined, folder), { program: outside, args: module });
  const own = join(folder, "venv", ...inside);
  mkdirSync(join(own, ".."), { recursive: true });
  writeFileSync(own, "");
  chmodSync(own, 0o755);
  assert.deepEqual(serverCommand(unnamed, undefined, folder), { program: own, args: module });
  assert.deepEqual(serverCommand(unnamed, "/chosen", folder), { program: "/chosen", args: module });
  const named = { path: "", interpreter: "${workspaceFolder}/python" };
  assert.deepEqual(serverCommand(named, "/chosen", folder), { program: `${folder}/python`, args: module });
  assert.deepEqual(serverCommand({ ...named, path: "/shapelint" }, "/chosen", folder), { program: "/shapelint", args: ["lsp"] });
});

test("a program that is not there is named", async () => {
  const missing = join(folder, "nowhere");
  await assert.rejects(startServer({ program: missing, args: [] }, folder, () => {}), new RegExp(`nowhere: .*ENOENT`));
});
