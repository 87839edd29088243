/** Entry of the timelines' thread: opens the file, then does one by one what it is asked. The groups come made. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { assertNever, errorShape } from '../../host/index.ts'
import { realHost } from '../../host/real.ts'
import type { TimelineReply, TimelineRequest, TimelineResult, TimelineThreadData } from './messages.ts'
import { openTimelineFile, type TimelineFile } from './timeline-file.ts'

function carryOut(file: TimelineFile, request: TimelineRequest): TimelineResult {
  switch (request.op) {
    case 'append':
      file.append(request.events)
      return {}
    case 'list':
      return { list: file.list() }
    case 'read':
      return { texts: file.read(request.session) }
    case 'end':
      file.end(request.session, request.at)
      return {}
    case 'erase':
      return { erased: file.erase(request.which, request) }
    case 'prune':
      return { erased: file.prune(request.ended, request.noted) }
    case 'close':
      file.close()
      return {}
    default:
      return assertNever(request)
  }
}

function serve(port: MessagePort, file: TimelineFile): void {
  port.on('message', (request: TimelineRequest) => {
    const { id } = request
    try {
      const result = carryOut(file, request)
      port.postMessage({ reply: 'done', id, result } satisfies TimelineReply)
    } catch (thrown) {
      port.postMessage({ reply: 'failed', id, error: errorShape(thrown) } satisfies TimelineReply)
    }
    if (request.op === 'close') port.close()
  })
}

if (parentPort !== null) {
  const { file, key, max_pages } = workerData as TimelineThreadData
  try {
    const opened = openTimelineFile(file, { key, random: realHost().random, max_pages })
    serve(parentPort, opened)
    const erasures = opened.erasures()
    parentPort.postMessage({ reply: 'opened', erasures } satisfies TimelineReply)
  } catch (thrown) {
    parentPort.postMessage({ reply: 'not-opened', error: errorShape(thrown) } satisfies TimelineReply)
  }
}
