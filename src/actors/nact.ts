import type { Clock } from '../host/index.ts'
import { type Hosting, noHosting } from './hosting.ts'

export const nactHosting = (_clock: Clock): Hosting => noHosting
