/**
 * The terminal: `loqa` talks to a running node through its HTTP and WebSocket, `loqa-node` starts one.
 *
 * Commands are a table (`commands.ts`); help, completion and the program are made from it, and the code of a
 * command is loaded only when it runs. Each command gets its world (`world.ts`) handed in, so tests see what it would
 * print. Data goes to standard output, talk to standard error; `--json` prints the public shapes of the API.
 *
 * Exit codes: 0 ok, 1 failed, 2 usage, 69 no node answers, 75 busy, 78 configuration, 130 interrupted.
 *
 * Read `commands.ts` first, then `program.ts`.
 */
export { runLoqa, runNodeCommand } from './program.ts'
export { realWorld } from './real-world.ts'
export type { RunningNode, StartNode, StartOptions } from './run-node.ts'
export { EXIT, type ExitCode, type Terminal, type World } from './world.ts'
