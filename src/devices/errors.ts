/** Why a device was not told; `code` may be matched by scripts and skills. */
import { LoqaError } from '../host/index.ts'

export class DeviceError extends LoqaError {
  constructor(
    code: 'device-unknown' | 'device-refused' | 'device-unreachable',
    message: string,
    hint?: string,
  ) {
    super(code, message, { retryable: code === 'device-unreachable', hint })
  }
}
