/**
 * Configuration: one schema, one answer to "where does this value come from".
 *
 * `config/schema.ts` holds every key with its unit, default, range and meaning: read it first. `config/resolve.ts` puts
 * flags, LOQA_* variables, files, preset and defaults on top of each other and remembers the origin of each
 * value; `config/load.ts` finds and reads the files. A wrong or unknown key stops the node with exit code 78 and names
 * file, line, key, what was given, what is allowed and the name that was probably meant.
 *
 * The node resolves once at start and passes values down; nobody reads the configuration as a global.
 */
export { type Key, keyAt, keys, sections } from './config/keys.ts'
export { type ConfigRequest, configFiles, dataDirectory, loadConfig, type Machine } from './config/load.ts'
export {
  ConfigError,
  type ConfigRow,
  isLoopback,
  type Problem,
  problemLine,
  type Resolved,
  resolveConfig,
} from './config/resolve.ts'
export { type Config, configSchema, PRESETS, type Preset } from './config/schema.ts'
export { defaultToml } from './config/toml.ts'
export { nearest } from './host/index.ts'
