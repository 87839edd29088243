/** Why a device was not told; `code` may be matched by scripts and skills. */
import { LoqaError } from '../host/index.ts'

export class DeviceError extends LoqaError {
  constructor(
    code: 'device-unknown' | 'device-refused' | 'device-away' | 'devices-away',
    message: string,
    hint?: string,
  ) {
    super(code, message, { retryable: code.endsWith('away'), hint })
  }
}
