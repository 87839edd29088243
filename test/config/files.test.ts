import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  ConfigError,
  configFiles,
  dataDirectory,
  defaultToml,
  loadConfig,
  resolveConfig,
} from '../../src/config.ts'
import { simulatedHost } from '../../src/host/simulated/index.ts'

const machine = (environment: Record<string, string> = {}) => ({
  environment,
  home: '/home/ada',
  host_name: 'pantry.lan',
  directory: '/work',
})
const bytes = (text: string) => new TextEncoder().encode(text)
const shipped = (name: string) => readFileSync(new URL(`../../config/${name}`, import.meta.url), 'utf8')

describe('the shipped files', () => {
  it('default.toml is what the schema says', () => {
    expect(shipped('default.toml')).toBe(defaultToml())
  })
  it('default.toml changes nothing', () => {
    const { config } = resolveConfig({ files: [{ path: 'default.toml', text: shipped('default.toml') }] })
    expect(config).toEqual(resolveConfig({}).config)
  })
  it('example.toml is allowed', () => {
    const { config } = resolveConfig({ files: [{ path: 'example.toml', text: shipped('example.toml') }] })
    expect(config.node.room).toBe('kitchen')
  })
})

describe('the files of a machine', () => {
  it("are looked for in the project, the user's and the system's folder", () => {
    expect(configFiles(machine())).toEqual([
      '/work/loqa.toml',
      '/home/ada/.config/loqa/config.toml',
      '/etc/loqa/config.toml',
    ])
    expect(configFiles(machine({ XDG_CONFIG_HOME: '/x' }))[1]).toBe('/x/loqa/config.toml')
  })

  it('count together, the nearer one first; --config stands alone', async () => {
    const { disk } = simulatedHost(1)
    for (const path of ['/work', '/etc/loqa']) await disk.makeDirectory(path)
    await disk.write('/work/loqa.toml', bytes('[node]\nroom = "attic"'))
    await disk.write('/etc/loqa/config.toml', bytes('[node]\nroom = "cellar"\n[api]\nport = 99'))
    await disk.write('/work/other.toml', bytes('[node]\nroom = "hall"'))
    const both = await loadConfig(disk, machine(), {})
    expect([both.config.node.room, both.config.api.port]).toEqual(['attic', 99])
    const alone = await loadConfig(disk, machine(), { file: '/work/other.toml' })
    expect([alone.config.node.room, alone.config.api.port]).toEqual(['hall', 7420])
  })

  it('that were asked for and are not there are an error of the configuration', async () => {
    const { disk } = simulatedHost(1)
    await expect(loadConfig(disk, machine(), { file: '/gone.toml' })).rejects.toBeInstanceOf(ConfigError)
    await expect(loadConfig(disk, machine({ LOQA_CONFIG: '/gone.toml' }), {})).rejects.toThrow(
      /env LOQA_CONFIG: \/gone\.toml does not exist/,
    )
  })
})

describe('what the machine suggests', () => {
  it('is its host name and the XDG data folder', async () => {
    const { disk } = simulatedHost(1)
    const { config } = await loadConfig(disk, machine(), {})
    expect(config.node).toMatchObject({ name: 'pantry', data_dir: '/home/ada/.local/share/loqa' })
    expect(dataDirectory(machine({ XDG_DATA_HOME: '/x' }))).toBe('/x/loqa')
    expect(dataDirectory(machine({ XDG_DATA_HOME: '/x', LOQA_DATA: '/d' }))).toBe('/d')
  })
})
