/** Who may import whom. Each rule's comment says what to do instead. */

const FOLDERS = [
  'host',
  'observe',
  'devices',
  'sound',
  'actors',
  'cluster',
  'inference',
  'skills',
  'store',
  'voice',
  'api',
  'cli',
  'web',
]

/** Folder → folders whose faces it may import. */
const MAY_IMPORT = {
  host: [],
  observe: ['host'],
  /** Who asks for devices, and who may, is decided where all parts meet; a device knows of nobody. */
  devices: ['host'],
  /** The conversation it is bound to is given. */
  sound: ['host'],
  actors: ['host', 'observe'],
  cluster: ['host', 'observe', 'actors'],
  inference: ['host', 'observe', 'actors'],
  skills: ['host', 'observe', 'actors'],
  store: ['host', 'observe', 'actors'],
  voice: ['host', 'observe', 'actors', 'inference', 'skills'],
  api: ['host', 'observe', 'voice'],
  /** Models are fetched and measured, skills made, inspected and signed, in the command's own process: no node needs to run for it. */
  cli: ['host', 'sound', 'api', 'voice', 'inference', 'skills'],
  /** Runs in a browser: shapes of the API, and the rules that `src/api/page-files.ts` lists. */
  web: ['host', 'api', 'cli'],
}

/** Outside library → the only files that may import it. */
const IMPORTERS = {
  nact: '^src/actors/nact\\.ts$',
  msgpackr: '^src/host/codec\\.ts$',
  pino: '^src/observe/log\\.ts$',
  'prom-client': '^src/observe/metrics\\.ts$',
  fastify: '^src/api/',
  '@fastify/[a-z-]+': '^src/api/',
  ws: '^src/(api|cli|devices)/',
  mqtt: '^src/devices/mqtt\\.ts$',
  'multicast-dns': '^src/cluster/discovery/mdns\\.ts$',
  commander: '^src/cli/',
  'modern-tar': '^src/skills/package/archive\\.ts$',
  'smol-toml': '^src/config/toml\\.ts$',
  'sherpa-onnx-node': '^src/inference/child/sherpa-library\\.ts$',
  '@fugood/whisper\\.node': '^src/inference/child/whisper\\.ts$',
  'node-llama-cpp': '^src/inference/child/llama(-chat)?\\.ts$',
  'kokoro-js': '^src/inference/child/kokoro\\.ts$',
  '@echogarden/espeak-ng-emscripten': '^src/inference/child/formant\\.ts$',
  libp2p: '^src/cluster/transport/',
  '@libp2p/[a-z-]+': '^src/cluster/transport/',
  '@chainsafe/[a-z0-9-]+': '^src/cluster/transport/',
  '@multiformats/[a-z-]+': '^src/cluster/transport/',
  uint8arraylist: '^src/cluster/transport/',
  '@echogarden/fvad-wasm': '^src/voice/vad\\.ts$',
  'quickjs-emscripten-core': '^src/skills/sandbox/runner/(script|script-engine|interpreter)\\.ts$',
  '@jitl/[a-z-]+': '^src/skills/sandbox/runner/script-engine\\.ts$',
  '@vlcn\\.io/wa-sqlite': '^src/store/crdt/engine\\.ts$',
}

const folderRules = FOLDERS.map((folder) => ({
  name: `${folder}-imports`,
  comment: `src/${folder} may import ${MAY_IMPORT[folder].join(', ') || 'nothing of ours'}. Folders that may not import each other meet in node.ts, through messages and effects.`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: {
    path: '^src/',
    pathNot: [
      `^src/${folder}/`,
      ...MAY_IMPORT[folder].map((name) => `^src/${name}/`),
      ...(folder === 'cli' ? ['^src/config\\.ts$'] : []),
    ],
  },
}))

/** Pure files a command may load alone, because the face would bring engines along and `loqa` must start at once. */
const LIGHT = [
  '^src/cli/(heard|speech-clock|tone|turn-collector)\\.ts$',
  '^src/voice/(wav|audio)\\.ts$',
  '^src/inference/catalogue/index\\.ts$',
  '^src/skills/(package|trust)/index\\.ts$',
]

const faceRules = FOLDERS.filter((folder) => folder !== 'host').map((folder) => ({
  name: `${folder}-face`,
  comment: `Import src/${folder}/index.ts; export there what others need.`,
  severity: 'error',
  from: { path: '^src/', pathNot: [`^src/${folder}/`, '^src/main\\.ts$'] },
  to: { path: `^src/${folder}/`, pathNot: [`^src/${folder}/index\\.ts$`, ...LIGHT] },
}))

const importerRules = Object.entries(IMPORTERS).map(([library, importer]) => ({
  name: `one-importer-of-${library.replace(/[^a-z]/g, '-')}`,
  comment: `${library} enters through one place (${importer}); use what that file offers.`,
  severity: 'error',
  from: { path: '^src/', pathNot: importer },
  to: { path: `node_modules/${library}(/|$)` },
}))

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment:
        'Two files that need each other are one thought, or hide a third file: move the shared part there.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-test-code',
      comment: 'The product never imports from test/ nor the simulated doors.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/host/simulated/', '^src/actors/simulate'] },
      to: { path: ['^test/', '^src/host/simulated/'] },
    },
    {
      name: 'host-face',
      comment:
        'Import src/host/index.ts. Only the composition root and child-process entries open the real doors.',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: [
          '^src/host/',
          '^src/web/',
          '^src/(node|main)\\.ts$',
          '^src/node/',
          '^src/cli/',
          '^src/inference/child/',
          '^src/skills/sandbox/runner',
          '^src/actors/simulate',
          '^src/store/(crdt|timeline)/thread\\.ts$',
        ],
      },
      to: { path: '^src/host/', pathNot: '^src/host/index\\.ts$' },
    },
    {
      name: 'no-processes',
      comment: 'Only the two process supervisors start processes, and one file those that record and play.',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: ['^src/(inference|sound|skills/sandbox)/process\\.ts$', '^src/cli/'],
      },
      to: { path: '^(node:)?child_process$' },
    },
    {
      name: 'no-sqlite',
      comment:
        'SQLite as Node has it is opened in src/store: for locks (sqlite.ts), for what an earlier version kept (former.ts), and for the file that must forget what it deletes (timeline/timeline-file.ts); ask the store.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/store/(sqlite|former|timeline/timeline-file)\\.ts$' },
      to: { path: '^node:sqlite$' },
    },
    {
      name: 'one-file-of-cryptography',
      comment:
        'Ciphers, signatures and key derivation of the cluster live in src/cluster/household/crypto.ts (the cipher of noise in transport/noise-crypto.ts): use what they offer.',
      severity: 'error',
      from: {
        path: '^src/cluster/',
        pathNot: '^src/cluster/(household/crypto|transport/noise-crypto)\\.ts$',
      },
      to: { path: '^(node:)?crypto$' },
    },
    ...folderRules,
    ...faceRules,
    ...importerRules,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.cjs', '.mjs', '.json'] },
  },
}
