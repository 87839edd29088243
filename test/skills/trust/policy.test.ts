/** Promised: a policy says whose skills may run and what none gets; a mistake in one is told with its place, and stops the node. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { InvalidInputError } from '../../../src/host/index.ts'
import { readPolicy } from '../../../src/skills/trust/index.ts'

const shipped = (name: string) => {
  const file = fileURLToPath(new URL(`../../../config/policies/${name}.yaml`, import.meta.url))
  return readPolicy(readFileSync(file, 'utf8'), file)
}

it('at home a person decides; in a medical place nothing runs that is not official, and nothing reaches out', () => {
  expect(shipped('home')).toMatchObject({ allow: ['official', 'vetted', 'own'], unsigned: 'ask', forbid: [] })
  expect(shipped('medical')).toMatchObject({ allow: ['official'], unsigned: 'never' })
  expect(shipped('medical').forbid).toEqual(expect.arrayContaining(['http', 'devices']))
})

it.each([
  ['an unknown level', 'name: x\nallow: [everybody]\nunsigned: ask\n', 'p.yaml:2:9: allow.0'],
  ['an unknown key', 'name: x\nallow: []\nunsigned: ask\nforbids: [http]\n', 'p.yaml:1:1: the policy'],
  [
    'a key that is none',
    `name: x\nallow: []\nunsigned: ask\nroots: { official: [abc] }\n`,
    'p.yaml:4:21: roots.official.0',
  ],
  ['no answer for what is unsigned', 'name: x\nallow: []\n', 'unsigned'],
  ['nothing', '', 'the policy'],
])('%s is a mistake', (_, text, place) => {
  expect(() => readPolicy(text, 'p.yaml')).toThrow(InvalidInputError)
  expect(() => readPolicy(text, 'p.yaml')).toThrow(place)
})
