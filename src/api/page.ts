/** Serves the page at `/`: fixed files, read when somebody asks for the first time. */
import type { FastifyInstance } from 'fastify'
import { PAGE_HEADERS } from './headers.ts'
import { PAGE_FILES } from './page-files.ts'

/** The content of a file of the page, by its name in `PAGE_FILES`. */
export type PageReader = (file: string) => Promise<Uint8Array>

export function pageRoutes(app: FastifyInstance, read: PageReader): void {
  for (const { path, file, type } of PAGE_FILES) {
    let content: Promise<Uint8Array> | undefined
    app.get(path, async (_request, reply) => {
      content ??= read(file)
      // One that could not be read is tried again by the next who asks.
      content.catch(() => {
        content = undefined
      })
      return reply
        .headers(PAGE_HEADERS)
        .type(type)
        .send(await content)
    })
  }
}
