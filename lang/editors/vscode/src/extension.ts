// The client: starts `imgc lsp`, and runs what its code lenses ask for. It knows nothing
// of the language; that is the server's.

import * as vscode from "vscode";
import { LanguageClient, type ServerOptions } from "vscode-languageclient/node";

import { buildArguments } from "./build";

let client: LanguageClient | undefined;

/** Called by the editor when a file of the language is opened. */
export async function activate(context: vscode.ExtensionContext): Promise<void> {
  context.subscriptions.push(
    vscode.commands.registerCommand("imgc.build", build),
    vscode.commands.registerCommand("imgc.restart", restart),
    vscode.tasks.registerTaskProvider("imgc", { provideTasks: () => [], resolveTask }),
    vscode.tasks.onDidEndTaskProcess(async (ended) => {
      // What was built has a size, also where no file of the workspace changed.
      if (ended.execution.task.definition.type === "imgc") {
        await client?.sendNotification("workspace/didChangeWatchedFiles", { changes: [] });
      }
    }),
    vscode.workspace.onDidChangeConfiguration(async (change) => {
      if (change.affectsConfiguration("imgc.path")) {
        await restart();
      }
    }),
  );
  await start();
}

/** Called by the editor when it ends. */
export async function deactivate(): Promise<void> {
  await client?.stop();
  client = undefined;
}

/** The program that the user chose. */
function program(): string {
  return vscode.workspace.getConfiguration("imgc").get<string>("path") || "imgc";
}

async function start(): Promise<void> {
  const server: ServerOptions = { command: program(), args: ["lsp"] };
  client = new LanguageClient("imgc", "imgc", server, {
    documentSelector: [{ language: "img", scheme: "file" }],
    synchronize: {
      fileEvents: vscode.workspace.createFileSystemWatcher("**/{*.img,imgc.lock}"),
    },
  });
  try {
    await client.start();
  } catch (error) {
    const settings = "Open settings";
    const chosen = await vscode.window.showErrorMessage(
      `imgc: the language server can't be started: ${String(error)}. ` +
        "Install imgc, or say in the setting imgc.path where it is.",
      settings,
    );
    if (chosen === settings) {
      await vscode.commands.executeCommand("workbench.action.openSettings", "imgc.path");
    }
  }
}

async function restart(): Promise<void> {
  await deactivate();
  await start();
}

/** Builds what a code lens names, or the file in the active editor. */
async function build(image?: unknown): Promise<void> {
  const document = vscode.window.activeTextEditor?.document;
  const what = typeof image === "string" ? image : document?.uri.fsPath;
  if (what === undefined) {
    return;
  }
  await document?.save();
  const folder = document && vscode.workspace.getWorkspaceFolder(document.uri);
  await vscode.tasks.executeTask(task(what, folder ?? vscode.TaskScope.Workspace));
}

function resolveTask(asked: vscode.Task): vscode.Task | undefined {
  const image: unknown = asked.definition["image"];
  if (typeof image !== "string") {
    return undefined;
  }
  return task(image, asked.scope ?? vscode.TaskScope.Workspace, asked.definition);
}

function task(
  image: string,
  scope: vscode.WorkspaceFolder | vscode.TaskScope,
  definition: vscode.TaskDefinition = { type: "imgc", image },
): vscode.Task {
  // No shell: a name of a file is one argument, whatever is in it.
  const execution = new vscode.ProcessExecution(program(), buildArguments(image));
  return new vscode.Task(definition, scope, `build ${image}`, "imgc", execution, ["$imgc", "$imgc-warnings"]);
}
