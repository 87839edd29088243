/** Templates of announcements: what is followed means what Home Assistant means by it; what is not is refused with the place. */
import { describe, expect, it } from 'vitest'
import { compileTemplate, payloadNames } from '../../src/devices/template.ts'

function render(template: string, payload: string): string | undefined {
  const compiled = compileTemplate(template)
  if (typeof compiled !== 'function') throw new Error(compiled.unsupported)
  return compiled(payloadNames(payload))
}

describe('templates', () => {
  it.each([
    ['{{ value }}', 'ON', 'ON'],
    ['{{value_json.state}}', '{"state":"ON"}', 'ON'],
    ["{{ value_json['a b'] }}", '{"a b":7}', '7'],
    ['{{ value_json.list[1] }}', '{"list":[1,2]}', '2'],
    ['{{ value_json.sensors.t.value }}', '{"sensors":{"t":{"value":21.5}}}', '21.5'],
    ['{{ value_json.t | float / 10 }}', '{"t":"215"}', '21.5'],
    ['{{ (value_json.t | float * 9 / 5) + 32 }}', '{"t":20}', '68'],
    ['{{ value | int }}', '21.7', '21'],
    ['{{ value | float | round(1) }}', '21.74', '21.7'],
    ['{{ value_json.a | default(0) }}', '{}', '0'],
    ['{{ value_json.a | default("?") | upper }}', '{"a":"on"}', 'ON'],
    ["{{ 'ON' if value_json.power == 'on' else 'OFF' }}", '{"power":"on"}', 'ON'],
    ["{{ 'ON' if value_json.power != 'on' else 'OFF' }}", '{"power":"on"}', 'OFF'],
    ["{{ 'ON' if value_json.lit else 'OFF' }}", '{"lit":false}', 'OFF'],
    ["{{ 'locked' if value_json.lock == 1 else 'open' }}", '{"lock":1}', 'locked'],
    ['{"brightness": {{ value }}}', '12', '{"brightness": 12}'],
    ['{{ value_json.on }}', '{"on":true}', 'True'],
    ['{{ -1 * value | int }}', '3', '-3'],
    ['no template', 'ON', 'no template'],
  ])('%s of %s is %s', (template, payload, said) => {
    expect(render(template, payload)).toBe(said)
  })

  it.each([
    ['{{ value_json.state }}', 'not json'],
    ['{{ value_json.state }}', '{}'],
    ['{{ value_json.a.b.c }}', '{"a":1}'],
    ['{{ value | int }}', 'warm'],
    ['{{ value_json.t / 0 }}', '{"t":1}'],
  ])('%s of %s says nothing', (template, payload) => {
    expect(render(template, payload)).toBeUndefined()
  })

  it.each([
    ['{% if value %}ON{% endif %}', 'statements'],
    ['{{ states("light.x") }}', '"light.x"'],
    ['{{ value', 'an expression without its end'],
    ['{{ value | regex_replace("a","b") }}', '"the end"'],
    ['{{ value and value }}', '"and"'],
    ['{{ value_json. }}', '"the end"'],
    ['{{ value is defined }}', '"is"'],
  ])('%s is refused: %s', (template, why) => {
    const compiled = compileTemplate(template)
    expect(compiled).toEqual({ unsupported: why })
  })

  it('reads only what was said, never what every object has', () => {
    expect(render('{{ value_json.constructor }}', '{}')).toBeUndefined()
    expect(render('{{ value_json["__proto__"] }}', '{}')).toBeUndefined()
    expect(render('{{ toString }}', 'x')).toBeUndefined()
  })
})
