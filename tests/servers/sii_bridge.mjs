// A stand-in for SII-CLI's bridge: its protocol 1.0.0 over standard input and output, one request.
//
// It asks the endpoint that it is told of with one tool, run_shell_command, runs what the model
// calls, and tells of it in events. What it was asked goes to the file SII_BRIDGE_SEEN.

import { execFileSync } from "node:child_process";
import { appendFileSync } from "node:fs";
import { createInterface } from "node:readline";

const emit = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
const TOOL = {
  type: "function",
  function: {
    name: "run_shell_command",
    parameters: { type: "object", properties: { command: { type: "string" } } },
  },
};

function run(command, cwd) {
  try {
    const content = execFileSync("bash", ["-c", command], { cwd, encoding: "utf8" });
    return { content, is_error: false };
  } catch (error) {
    return { content: String(error.stdout ?? error), is_error: true };
  }
}

async function ask(messages, model) {
  const response = await fetch(`${process.env.SII_OPENAI_BASE_URL}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model, messages, tools: [TOOL] }),
  });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return (await response.json()).choices[0].message;
}

async function query({ prompt, options, history = [], session_id = "session-1" }) {
  const messages = history.map(({ role, content }) => ({
    role: role === "tool" ? "user" : role,
    content,
  }));
  messages.push({ role: "user", content: prompt });
  // More than a pipe holds: whoever does not read it has to wait for ever.
  process.stderr.write("noise\n".repeat(20_000));
  emit({ type: "status", status: "ready", message: "ready", available_tools: [TOOL.function.name] });
  let turns = 0;
  for (; turns < options.max_turns; turns += 1) {
    const said = await ask(messages, options.model);
    messages.push(said);
    if (said.content) {
      emit({ type: "assistant_message", content: [{ type: "text", text: said.content }] });
    }
    if (!said.tool_calls) break;
    for (const call of said.tool_calls) {
      const args = JSON.parse(call.function.arguments);
      emit({ type: "tool_call", tool_call_id: call.id, tool_name: call.function.name, args });
      const result = run(args.command, options.cwd);
      emit({ type: "tool_result", tool_use_id: call.id, ...result });
      messages.push({ role: "tool", tool_call_id: call.id, content: result.content });
    }
  }
  emit({ type: "completed", metadata: { turns_used: turns, session_id } });
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  if (process.env.SII_BRIDGE_SEEN) appendFileSync(process.env.SII_BRIDGE_SEEN, `${line}\n`);
  try {
    await query(request.params);
  } catch (error) {
    emit({ type: "error", error: { code: "MODEL_FAILED", message: String(error) } });
  }
}
