import { describe, expect, it } from 'vitest'
import { ConfigError, configSchema, keys, resolveConfig } from '../../src/config.ts'

const file = (text: string, path = '/etc/loqa/config.toml') => ({ path, text })

/** The lines a person would see. */
function complaint(sources: Parameters<typeof resolveConfig>[0]): string {
  try {
    resolveConfig(sources)
  } catch (thrown) {
    if (thrown instanceof ConfigError) return thrown.message
    throw thrown
  }
  return ''
}

const row = (sources: Parameters<typeof resolveConfig>[0], key: string) =>
  resolveConfig(sources).rows.find((candidate) => candidate.key === key)!

describe('the settings', () => {
  it('are complete and allowed without any source', () => {
    const { config, rows } = resolveConfig({})
    expect(configSchema.safeParse(config).success).toBe(true)
    expect(rows.map((found) => found.key)).toEqual(keys.map((key) => key.path))
  })

  it('say what each is for', () => {
    expect(keys.filter((key) => key.about.length < 10)).toEqual([])
    expect(keys.filter((key) => key.allowed.includes('undefined'))).toEqual([])
  })

  it('carry their unit in the name where they are numbers with a dimension', () => {
    const unitless = keys
      .filter((key) => key.type === 'integer' && !/_(ms|s|mb|days|years)$/.test(key.name))
      .map((key) => key.path)
    expect(unitless).toEqual([
      'api.port',
      'api.requests_per_minute',
      'api.max_voice_connections',
      'wyoming.port',
      'cluster.port',
      'cluster.enrolment_port',
      'inference.streams_per_engine',
      'qos.answers_kept',
    ])
  })
})

describe('what wins', () => {
  const all = {
    flags: [{ path: 'api.port', value: '1', flag: '--http-port' }],
    environment: { LOQA_API_PORT: '2' },
    files: [file('[api]\nport = 3', '/home/a/loqa.toml'), file('[api]\nport = 4')],
    preset: 'test',
  }
  const cases = [
    { without: [], value: 1, origin: 'flag --http-port' },
    { without: ['flags'], value: 2, origin: 'env LOQA_API_PORT' },
    { without: ['flags', 'environment'], value: 3, origin: '/home/a/loqa.toml:2' },
    { without: ['flags', 'environment', 'files'], value: 0, origin: 'preset test' },
    { without: ['flags', 'environment', 'files', 'preset'], value: 7420, origin: 'default' },
  ]
  it.each(cases)('without $without it is $origin', ({ without, value, origin }) => {
    const sources = Object.fromEntries(Object.entries(all).filter(([name]) => !without.includes(name)))
    expect(row(sources, 'api.port')).toMatchObject({ value, origin })
  })

  it('takes the first file over the second', () => {
    const files = [
      file('[node]\nroom = "attic"', '/a.toml'),
      file('[node]\nroom = "cellar"\nname = "n"', '/b.toml'),
    ]
    expect(row({ files }, 'node.room')).toMatchObject({ value: 'attic', origin: '/a.toml:2' })
    expect(row({ files }, 'node.name')).toMatchObject({ value: 'n', origin: '/b.toml:3' })
  })

  it('takes LOQA_DATA for the data directory, the long name before it, an empty one for none', () => {
    expect(row({ environment: { LOQA_DATA: '/d' } }, 'node.data_dir').value).toBe('/d')
    const both = { LOQA_DATA: '/d', LOQA_NODE_DATA_DIR: '/n' }
    expect(row({ environment: both }, 'node.data_dir').value).toBe('/n')
    expect(row({ environment: { LOQA_API_PORT: '' } }, 'api.port').origin).toBe('default')
  })

  it("an empty data directory, as in the file of defaults, is the machine's own", () => {
    const machine = { 'node.data_dir': '/home/ada/.local/share/loqa' }
    for (const given of [
      { files: [file('[node]\ndata_dir = ""')] },
      { flags: [{ path: 'node.data_dir', value: '', flag: '--data' }] },
    ]) {
      expect(row({ ...given, machine }, 'node.data_dir')).toMatchObject({
        value: '/home/ada/.local/share/loqa',
        origin: 'machine',
      })
    }
  })
})

describe('texts from flags and variables', () => {
  it.each([
    ['api.port', '8080', 8080],
    ['voice.speed', '1.25', 1.25],
    ['cluster.locked', 'yes', true],
    ['cluster.locked', '0', false],
    ['cluster.peers', 'a:1, b:2', ['a:1', 'b:2']],
    ['node.room', 'living room', 'living room'],
  ])('%s from %s', (path, value, expected) => {
    expect(row({ flags: [{ path, value, flag: '--set' }] }, path).value).toEqual(expected)
  })
})

describe('a derived value', () => {
  it('follows its key and says by which formula', () => {
    const files = [file('[inference]\nping_interval_ms = 200')]
    expect(row({ files }, 'inference.ping_timeout_ms')).toMatchObject({
      value: 600,
      origin: '3 × inference.ping_interval_ms',
    })
  })
  it('can be set all the same', () => {
    const files = [file('[inference]\nping_timeout_ms = 9000')]
    expect(row({ files }, 'inference.ping_timeout_ms')).toMatchObject({ value: 9000 })
  })
})

describe('a wrong setting', () => {
  it.each([
    ['[api]\nprot = 1', '/etc/loqa/config.toml:2: api.prot is not a setting; did you mean api.port?'],
    [
      '# hello\n\n[aip]\nport = 1',
      '/etc/loqa/config.toml:4: aip.port is not a setting; did you mean api.port?',
    ],
    ['room = "attic"', '/etc/loqa/config.toml:1: room is not a setting; did you mean node.room?'],
    [
      '[api]\nport = "many"',
      '/etc/loqa/config.toml:2: api.port has a value that is not allowed; given "many"; allowed: a whole number from 0 to 65535',
    ],
    [
      '[voice]\nspeed = 9',
      '/etc/loqa/config.toml:2: voice.speed has a value that is not allowed; given 9; allowed: a number from 0.5 to 2',
    ],
    [
      '[observe]\nlog_level = "loud"',
      '/etc/loqa/config.toml:2: observe.log_level has a value that is not allowed; given "loud"; allowed: one of debug, info, warn, error, silent',
    ],
    ['[api]\nport = ', '/etc/loqa/config.toml:2: this line is not TOML:'],
    ['[api]\nhost = "0.0.0.0"', 'api.host is 0.0.0.0, which others can reach, but there is no token'],
    ['[voice]\npause_complete_ms = 600', 'does not lie between the other pauses'],
  ])('%j is named with its place', (text, expected) => {
    expect(complaint({ files: [file(text)] })).toContain(expected)
  })

  it('from a flag or a variable names that', () => {
    expect(complaint({ flags: [{ path: 'api.port', value: 'x', flag: '--http-port' }] })).toMatch(
      /^flag --http-port: api\.port/,
    )
    expect(complaint({ environment: { LOQA_API_PORT: 'x' } })).toMatch(/^env LOQA_API_PORT: api\.port/)
    expect(complaint({ environment: { LOQA_API_PROT: '1' } })).toContain('did you mean LOQA_API_PORT?')
    expect(complaint({ preset: 'wify' })).toContain('did you mean wifi?')
  })

  it('does not hide the next one', () => {
    const lines = complaint({ files: [file('[api]\nprot = 1\nport = -1\n[node]\nname = ""')] }).split('\n')
    expect(lines).toHaveLength(3)
  })
})
