/**
 * Heavy skills in containers, by an engine that is installed here already: Podman or Docker, whose API both speak over a socket.
 *
 * A container is a process of a sandbox like any other (`sandbox/`): it is started when the skill is called, orders go to its standard
 * input and answers come from its standard output, in the runner's frames, and each is judged before anything of it counts. It has no
 * network, writes nothing but memory, mounts nothing, may not gain rights, and has bounds on memory, processors and processes; an engine
 * that did not do as it was told is not used. Where no container skill is installed nothing of this is touched.
 *
 * Images are named by their digest and never fetched from here: a person does that.
 *
 * Read `description.ts` first, then `containers.ts`.
 */
export { Containers, type ContainersParts, type EngineState } from './containers.ts'
export { usualSockets } from './sockets.ts'
