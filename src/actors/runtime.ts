/**
 * The actor system of one node: everything wired together, and the few calls the rest of the node needs.
 * Nothing here decides; the parts are `turn.ts` (hot path), `interpreter.ts` (effects), `lifecycle.ts` and `supervising.ts`
 * (the tree), `delivery.ts` (mailboxes), `asks.ts`, `outside.ts`, `ready-queue.ts`.
 */
import { assert, type Host, LoqaError, type NodeId, NotFoundError } from '../host/index.ts'
import { type Address, fixedAddress, parseAddress, type Ref } from './address.ts'
import { Asks } from './asks.ts'
import type { MailboxPolicy } from './behavior.ts'
import { type Cell, FROM_OUTSIDE, LocalRef, type Phase } from './cell.ts'
import { CallContext } from './context.ts'
import { type DeadLetterReport, DeadLetters } from './dead-letters.ts'
import { Delivery, originOf } from './delivery.ts'
import type { ExitReason, Message, RestartKind, Target } from './effects.ts'
import { fromAfar, spawning } from './from-afar.ts'
import type { Hosting } from './hosting.ts'
import { Interpreter } from './interpreter.ts'
import { Lifecycle } from './lifecycle.ts'
import { Moving } from './moving.ts'
import { nactHosting } from './nact.ts'
import type { Observe, Trace } from './observation.ts'
import { type Outside, OutsidePorts } from './outside.ts'
import { Passivation } from './passivation.ts'
import { ReadyQueue } from './ready-queue.ts'
import { type Behaviors, checkTree, pathBelow, Registry } from './registry.ts'
import { type FromAfar, MAX_BOOT, type RemotePort } from './remote.ts'
import { Schedules } from './schedules.ts'
import { slowStretch } from './slow.ts'
import { Supervising } from './supervising.ts'
import { isBranch, type TreeSpec } from './supervisor.ts'
import { type Listener, Topics } from './topics.ts'
import { Turns } from './turn.ts'
import { Watches } from './watches.ts'

export interface RuntimeOptions {
  readonly node: NodeId
  readonly host: Pick<Host, 'clock' | 'random'>
  /** Every kind of actor this node can run, by kind. */
  readonly behaviors: Behaviors
  readonly outside: Outside
  readonly observe: Observe
  /** The root of the tree failed: nothing can be restarted any more, the process should end with an error. */
  readonly failed?: (error: ExitReason) => void
  /** Sees everything, in order; for simulations. */
  readonly trace?: Trace
  /** Picks among `count` ready actors; for simulations that try other orders. Default: first come, first served. */
  readonly choose?: (count: number) => number
  /** The way to the actors of other nodes. Absent: there are none. */
  readonly remote?: RemotePort
  /** This life of the node among all of the household, as in membership: at most `MAX_BOOT`. Default 0, for a node that is alone. */
  readonly boot?: number
  /** Mirrors the tree; default nact. `none` in simulations, where nothing outside may keep time. */
  readonly hosting?: Hosting
}

export interface SpawnOptions {
  readonly kind: string
  /** Placed at `loqa:/<kind>/<key>`. Give this or `path`. */
  readonly key?: string
  /** Fixed at `loqa://<node>/<path>`. */
  readonly path?: string
  readonly args?: unknown
  /** Default `transient`: restarted after a failure only. */
  readonly restart?: RestartKind
  /** Default: a supervisor under which every actor is on its own. */
  readonly parent?: Target
  readonly shutdown_ms?: number
  readonly mailbox?: MailboxPolicy
  /** Start from what `snapshot` gave instead of from `args`. */
  readonly snapshot?: { readonly of: unknown }
}

export interface ActorRow {
  readonly address: Address
  readonly kind: string
  readonly state: Exclude<Phase, 'ended' | 'frozen'>
  /** Messages waiting. */
  readonly mailbox: number
  readonly restarts: number
  readonly incarnation: number
}

export interface Runtime {
  /** Starts a tree beside what runs. Errors: `InvariantError` for an unknown kind or a doubled id. */
  start(tree: TreeSpec): Ref
  /** Errors: `InvariantError` for an unknown kind or a taken address, `NotFoundError` for a parent that is gone. */
  spawn(options: SpawnOptions): Ref
  /** At most once. False when the message certainly reached nobody (it is counted as a dead letter). */
  tell(target: Target, message: Message, sender?: Ref): boolean
  /** Errors: `timeout`, `not-found`, `unreachable`, `overloaded`, `stopped`, `actor-failed`, `cancelled`. */
  ask(
    target: Target,
    message: Message,
    options: { readonly deadline_ms: number; readonly signal?: AbortSignal },
  ): Promise<Message>
  publish(topic: string, message: Message): void
  /** Returns how to end the subscription. The listener is called within the actor's turn: it must be quick. */
  subscribe(topic: string, listener: Listener): () => void
  /** Orderly, or at once with `kill`. It is not restarted. Unknown actors are no error. */
  stop(target: Target, options?: { readonly reason?: string; readonly kill?: boolean }): void
  /** The actor alive at an address. */
  find(target: Target): Ref | undefined
  actors(): ActorRow[]
  /** Messages waiting in all mailboxes. */
  waiting(): number
  deadLetters(): DeadLetterReport
  /** Where the port to other nodes hands over what came from them. */
  readonly fromAfar: FromAfar
  /** How an actor leaves this node alive, or comes to it so. */
  readonly moving: Moving
  /** Stops everything, last started first; what is not done after `deadline_ms` is killed. */
  shutdown(deadline_ms: number): Promise<void>
}

export function createRuntime(options: RuntimeOptions): Runtime {
  const { node, host, observe, trace } = options
  const { clock, random } = host
  const hosting =
    options.hosting ??
    nactHosting(clock, (cell) =>
      delivery.order(cell, { kind: 'stop', reason: STOPPED_IN_NACT, on_purpose: true }),
    )

  const context = new CallContext(clock, random)
  const dead = new DeadLetters(clock, observe, trace)
  const boot = options.boot ?? 0
  assert(Number.isInteger(boot) && boot >= 0 && boot <= MAX_BOOT, 'a boot number has 32 bits')
  const delivery: Delivery = new Delivery({
    node,
    boot,
    ready: (cell) => ready.add(cell),
    dead,
    refuseAsk: (ask, error) => asks.fail(ask, error),
    remote: options.remote,
    askRuntime: (target, message, ask) => spawnOnRequest(target, message, ask),
  })
  const asks: Asks = new Asks(clock, delivery, boot)
  const outside = new OutsidePorts(options.outside, delivery, (cell) => lifecycle.proceed(cell))
  const schedules = new Schedules(clock, delivery)
  const watches = new Watches(delivery)
  const topics = new Topics(delivery, (topic, thrown) => {
    observe.log('error', 'A listener of a topic failed', { topic, error: String(thrown) }, undefined)
  })
  const registry = new Registry(node, options.behaviors, delivery, (cell) => {
    passivation.created(cell)
    hosting.attach(cell)
  })
  const spawnOnRequest = spawning({ clock, registry, delivery, asks, parent: () => spawned })
  let stopped: (() => void) | undefined
  const lifecycle: Lifecycle = new Lifecycle({
    clock,
    context,
    delivery,
    asks,
    outside,
    topics,
    watches,
    observe,
    trace,
    branchStarted: (cell) => startBranch(cell),
    ended: (cell) => {
      passivation.ended(cell)
      hosting.detach(cell)
      if (cell === root) stopped?.()
    },
    rootFailed: (_cell, reason) => options.failed?.(reason),
  })
  const passivation = new Passivation(clock, (cell) => lifecycle.passivate(cell))

  const interpreter = new Interpreter(
    { clock, delivery, asks, schedules, outside, topics, watches, dead, observe, trace },
    {
      spawnChild: (parent, effect) => {
        const cell = registry.createActor({
          kind: effect.kind,
          address: registry.addressOf(effect.kind, effect.key),
          args: effect.args,
          parent,
          restart: effect.restart ?? 'transient',
          fixed: false,
        })
        delivery.attend(cell)
      },
      stop: (by, effect) => {
        const target = effect.target === undefined ? by : delivery.find(effect.target)
        const itself = target === by
        const reason: ExitReason = stoppedFor(effect.reason)
        if (target === undefined) return
        // Who stops itself is done for now; whether it is needed again is its supervisor's decision.
        delivery.order(target, { kind: itself ? 'suspend' : 'stop', reason, on_purpose: !itself })
      },
    },
  )
  lifecycle.use(interpreter)
  const supervising = new Supervising({ clock, random, context, delivery, interpreter, lifecycle })
  const turns = new Turns({ context, interpreter, lifecycle, supervising, dead, trace })
  const ready: ReadyQueue = new ReadyQueue({
    clock,
    takeTurn: turns.take,
    slow: slowStretch(observe, turns),
    clockRead: (now) => asks.beginWaits(now),
    choose: options.choose,
    drained: options.remote?.turnsEnded,
  })

  function startBranch(branch: Cell): void {
    const spec = branch.args as TreeSpec
    const path = branch.parent === root ? '' : branchPath(branch)
    for (const child of spec.children) {
      const childPath = pathBelow(path, child.id)
      const cell = isBranch(child)
        ? registry.createBranch(child, childPath, branch)
        : registry.createActor({
            kind: child.kind,
            address:
              child.key === undefined
                ? fixedAddress(node, childPath)
                : registry.addressOf(child.kind, child.key),
            args: child.args,
            parent: branch,
            restart: child.restart ?? 'permanent',
            fixed: true,
            shutdown_ms: child.shutdown_ms,
            mailbox: child.mailbox,
          })
      lifecycle.start(cell)
    }
  }

  const branchPath = (branch: Cell): string => branch.address.slice(`loqa://${node}/`.length)

  // Nothing stands above the root: the first failure that reaches it is the node's.
  const root = registry.createBranch({ id: 'root', intensity: 0, children: [] }, 'root', undefined)
  lifecycle.start(root)
  const spawned = registry.createBranch(
    { id: 'spawned', when_exceeded: 'give-up', children: [] },
    'spawned',
    root,
  )
  lifecycle.start(spawned)

  return {
    start(tree) {
      checkTree(tree, registry)
      const cell = registry.createBranch(tree, tree.id, root)
      // Spawned actors lean on those of the tree, so they are the first to stop.
      root.children!.delete(spawned)
      root.children!.add(spawned)
      lifecycle.start(cell)
      return cell.ref
    },

    spawn(wanted) {
      const parent = wanted.parent === undefined ? spawned : delivery.find(wanted.parent)
      if (parent === undefined || parent.phase === 'stopping' || parent.phase === 'ended') {
        throw new NotFoundError('The parent of the new actor')
      }
      const address =
        wanted.path === undefined
          ? registry.addressOf(wanted.kind, wanted.key ?? '')
          : fixedAddress(node, wanted.path)
      if (wanted.path !== undefined) parseAddress(address)
      const cell = registry.createActor({
        kind: wanted.kind,
        address,
        args: wanted.args,
        parent,
        restart: wanted.restart ?? 'transient',
        fixed: false,
        shutdown_ms: wanted.shutdown_ms,
        mailbox: wanted.mailbox,
      })
      if (wanted.snapshot !== undefined) cell.own().snapshot = wanted.snapshot
      delivery.attend(cell)
      return cell.ref
    },

    tell: (target, message, sender) =>
      delivery.tell(target, message, sender === undefined ? FROM_OUTSIDE : ofSender(sender)),

    ask(target, message, { deadline_ms, signal }) {
      const { promise, resolve, reject } = Promise.withResolvers<Message>()
      if (signal?.aborted === true) {
        reject(new LoqaError('cancelled', 'The ask was cancelled', { cause: signal.reason }))
        return promise
      }
      const ask = asks.ask({ settle: { answered: resolve, failed: reject } }, target, message, deadline_ms)
      asks.beginWaits(clock.monotonic())
      if (signal !== undefined) {
        const abort = (): void => asks.cancel(ask, signal.reason)
        signal.addEventListener('abort', abort, { once: true })
        const done = (): void => signal.removeEventListener('abort', abort)
        promise.then(done, done)
      }
      return promise
    },

    publish: (topic, message) => topics.publish(topic, message, FROM_OUTSIDE),
    subscribe: (topic, listener) => {
      topics.subscribe(topic, listener)
      return () => topics.unsubscribe(topic, listener)
    },

    stop(target, how) {
      const cell = delivery.find(target)
      if (cell === undefined) return
      const reason: ExitReason = how?.kill === true ? { kind: 'killed' } : stoppedFor(how?.reason)
      delivery.order(cell, { kind: how?.kill === true ? 'kill' : 'stop', reason, on_purpose: true })
    },

    find: (target) => delivery.find(target)?.ref,
    actors: () => [...delivery.all()].map(rowOf),
    waiting: () => [...delivery.all()].reduce((sum, cell) => sum + cell.mailbox.depth, 0),
    deadLetters: () => dead.report(),
    fromAfar: fromAfar({ delivery, asks, watches, dead }),
    moving: new Moving({
      clock,
      delivery,
      asks,
      schedules,
      outside,
      watches,
      registry,
      lifecycle,
      parent: () => spawned,
    }),

    async shutdown(deadline_ms) {
      if (root.phase !== 'ended') {
        const { promise, resolve } = Promise.withResolvers<void>()
        stopped = resolve
        delivery.order(root, { kind: 'stop', reason: stoppedFor('the node stops'), on_purpose: true })
        const kill = (): void => lifecycle.kill(root, { kind: 'killed' })
        const cancel = clock.after(deadline_ms, kill)
        await promise
        cancel()
      }
      asks.close()
      passivation.close()
      hosting.close()
    },
  }
}

const STOPPED_IN_NACT: ExitReason = { kind: 'stopped', reason: "stopped in nact's tree" }

const stoppedFor = (reason: string | undefined): ExitReason =>
  reason === undefined ? { kind: 'stopped' } : { kind: 'stopped', reason }

const ofSender = (sender: Ref) => LocalRef.cellOf(sender)?.origin ?? originOf(sender)

const rowOf = (cell: Cell): ActorRow => ({
  address: cell.address,
  kind: cell.kind,
  state: stateOf(cell),
  mailbox: cell.mailbox.depth,
  restarts: cell.restarts,
  incarnation: cell.ref.incarnation,
})

function stateOf({ phase, ending }: Cell): ActorRow['state'] {
  if (phase === 'ended' || (phase === 'stopping' && ending?.failed)) return 'restarting'
  return phase === 'frozen' ? 'running' : phase
}
