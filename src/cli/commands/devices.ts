/** `loqa devices`: what there is to be told what to do, and where it comes from. */
import type { DevicesView } from '../../api/index.ts'
import type { Run } from '../call.ts'
import { type Column, type Style, table } from '../table.ts'
import { EXIT } from '../world.ts'

export const run: Run = async ({ world, json, style, client }) => {
  const found = await (await client()).get<DevicesView>('/api/v1/devices')
  if (json) {
    world.terminal.out(`${JSON.stringify(found)}\n`)
    return EXIT.ok
  }
  world.terminal.out(devicesText(found, style))
  if (found.sources.length === 0) {
    world.terminal.err('No source of devices is configured. Name a broker: devices.mqtt_url in loqa.toml.\n')
  }
  for (const { source, state, reason, problems } of found.sources) {
    if (state !== 'connected') {
      world.terminal.err(`${source} is ${state}${reason === null ? '' : `: ${reason}`}\n`)
    }
    for (const problem of problems) world.terminal.err(`${problem}\n`)
  }
  return EXIT.ok
}

const COLUMNS: readonly Column[] = [
  { title: 'room' },
  { title: 'name', flexible: true },
  { title: 'kind' },
  { title: 'state', paint: (state) => (state === 'out of reach' ? 'yellow' : undefined) },
  { title: 'id', flexible: true },
]

export const devicesText = ({ devices }: DevicesView, style: Style): string =>
  devices.length === 0
    ? ''
    : table(
        COLUMNS,
        [...devices]
          .sort((a, b) => compare(a.room, b.room) || compare(a.name, b.name))
          .map((device) => [device.room, device.name, device.kind, stateText(device.state), device.id]),
        style,
      )

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** The one or two things a person looks for. */
function stateText(state: DevicesView['devices'][number]['state']): string {
  if (state.available === false) return 'out of reach'
  const said = [
    ...(typeof state.on === 'boolean' ? [state.on ? 'on' : 'off'] : []),
    ...(typeof state.state === 'string' ? [state.state] : []),
    ...(state.on === true && typeof state.brightness === 'number' ? [`${state.brightness} %`] : []),
    ...(typeof state.position === 'number' ? [`${state.position} %`] : []),
    ...(typeof state.current === 'number' ? [`${state.current} °${state.unit ?? ''}`] : []),
    ...(typeof state.target === 'number' ? [`set to ${state.target}`] : []),
    ...(state.value === undefined ? [] : [`${state.value} ${state.unit ?? ''}`.trim()]),
  ]
  return said.join(', ')
}
