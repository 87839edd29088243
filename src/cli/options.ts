/** Options several commands share, and the flags of `loqa-node`. Data only. */
import type { OptionSpec } from './call.ts'

export const globalOptions: readonly OptionSpec[] = [
  { flags: '--data <dir>', about: 'data directory of the node (LOQA_DATA)' },
  { flags: '--url <url>', about: 'address of the node (LOQA_URL), instead of --data' },
  { flags: '--token-file <file>', about: 'token for a node that asks for one (LOQA_TOKEN_FILE)' },
  { flags: '--json', about: 'print JSON for scripts' },
]

/** What `loqa-node` takes too: the configuration is resolved in the same way. */
export const configOptions: readonly OptionSpec[] = [
  { flags: '--config <file>', about: 'configuration file (LOQA_CONFIG)' },
  { flags: '--preset <name>', about: 'lan, wifi or test (LOQA_PRESET)' },
  { flags: '--set <key=value>', about: 'any setting, e.g. voice.speed=1.2', many: true },
]

/** `loqa-node`: flags for what people choose most, mapped to the keys they stand for. */
export const nodeFlags: readonly (OptionSpec & { readonly key?: string })[] = [
  { flags: '--name <name>', about: 'what this machine is called', key: 'node.name' },
  { flags: '--room <room>', about: 'the room it stands in', key: 'node.room' },
  { flags: '--data <dir>', about: 'data directory (LOQA_DATA)', key: 'node.data_dir' },
  { flags: '--port <port>', about: 'port for other nodes; 0 takes a free one', key: 'cluster.port' },
  { flags: '--http-port <port>', about: 'port for HTTP; 0 takes a free one', key: 'api.port' },
  { flags: '--peer <address>', about: 'a node to connect to', many: true, key: 'cluster.peers' },
  { flags: '--mic', about: 'listen and speak through this machine', key: 'audio.enabled' },
  { flags: '--locked', about: 'no node nearby may join by itself', key: 'cluster.locked' },
  { flags: '--restore <dir>', about: 'go back to this copy of the store first (loqa store backup)' },
  { flags: '--log-level <level>', about: 'debug, info, warn, error or silent', key: 'observe.log_level' },
  ...configOptions,
]
