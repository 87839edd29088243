/** Sums and units, in words a voice says well. */
import { Invocation, numberWords, say, sentence } from '../../../sdk/assemblyscript'

/** What is measured, and how many of its base unit this one is. */
class Unit {
  constructor(public kind: string, public size: f64, public many: string) {}
}

const units = new Map<string, Unit>()
units.set('millimeter', new Unit('length', 0.001, 'millimeters'))
units.set('centimeter', new Unit('length', 0.01, 'centimeters'))
units.set('meter', new Unit('length', 1, 'meters'))
units.set('kilometer', new Unit('length', 1_000, 'kilometers'))
units.set('inch', new Unit('length', 0.0254, 'inches'))
units.set('foot', new Unit('length', 0.3048, 'feet'))
units.set('yard', new Unit('length', 0.9144, 'yards'))
units.set('mile', new Unit('length', 1_609.344, 'miles'))
units.set('gram', new Unit('weight', 1, 'grams'))
units.set('kilogram', new Unit('weight', 1_000, 'kilograms'))
units.set('ounce', new Unit('weight', 28.349523125, 'ounces'))
units.set('pound', new Unit('weight', 453.59237, 'pounds'))
units.set('milliliter', new Unit('volume', 1, 'milliliters'))
units.set('liter', new Unit('volume', 1_000, 'liters'))
// As the United States measure them.
units.set('teaspoon', new Unit('volume', 4.92892159375, 'teaspoons'))
units.set('tablespoon', new Unit('volume', 14.78676478125, 'tablespoons'))
units.set('cup', new Unit('volume', 236.5882365, 'cups'))
units.set('pint', new Unit('volume', 473.176473, 'pints'))
units.set('gallon', new Unit('volume', 3_785.411784, 'gallons'))
units.set('celsius', new Unit('warmth', 1, 'degrees celsius'))
units.set('fahrenheit', new Unit('warmth', 1, 'degrees fahrenheit'))

export function handle(): i32 {
  const invocation = Invocation.read()
  const verb = invocation.verb
  if (verb == 'convert') return convert(invocation)
  const a = invocation.number('a')
  const b = invocation.number('b')
  if (verb == 'add') return result(a, 'plus', b, a + b)
  if (verb == 'subtract') return result(a, 'minus', b, a - b)
  if (verb == 'multiply') return result(a, 'times', b, a * b)
  if (verb == 'divide') {
    if (b == 0) return say('Nothing can be divided by zero.')
    return result(a, 'divided by', b, a / b)
  }
  if (verb == 'percent') return result(a, 'percent of', b, (a / 100) * b)
  return say('I cannot calculate that.')
}

function result(a: f64, operation: string, b: f64, value: f64): i32 {
  return say(sentence(spoken(a) + ' ' + operation + ' ' + spoken(b) + ' is ' + spoken(value) + '.'))
}

function convert(invocation: Invocation): i32 {
  const amount = invocation.number('amount', 1)
  const from = invocation.text('from')
  const to = invocation.text('to')
  if (!units.has(from) || !units.has(to)) return say('I do not know that unit.')
  const source = units.get(from)
  const target = units.get(to)
  if (source.kind != target.kind) return say(sentence(source.many) + ' cannot be converted to ' + target.many + '.')
  const value = source.kind == 'warmth' ? warmth(amount, from, to) : (amount * source.size) / target.size
  return say(sentence(counted(amount, from, source) + (amount == 1 ? ' is ' : ' are ') + counted(value, to, target) + '.'))
}

function warmth(degrees: f64, from: string, to: string): f64 {
  if (from == to) return degrees
  return from == 'celsius' ? (degrees * 9) / 5 + 32 : ((degrees - 32) * 5) / 9
}

function counted(amount: f64, name: string, unit: Unit): string {
  const said = spoken(amount)
  if (unit.kind == 'warmth') return said + ' ' + (said == 'one' ? 'degree ' + name : unit.many)
  return said + ' ' + (said == 'one' ? name : unit.many)
}

/** To two decimals above one, to three digits that matter below: "two point two", "zero point zero three". */
function spoken(value: f64): string {
  const size = Math.abs(value)
  if (size >= 1_000_000_000_000) return value.toString()
  let scale: f64 = 100
  while (size > 0 && size * scale < 100 && scale < 1_000_000) scale *= 10
  const rounded = Math.round(size * scale) / scale
  const whole = Math.floor(rounded)
  let fraction = ''
  let rest = Math.round((rounded - whole) * scale)
  let digits = scale
  while (rest > 0 && digits > 1) {
    digits /= 10
    fraction += ' ' + numberWords(i32(Math.floor(rest / digits)))
    rest %= digits
  }
  return (value < 0 && rounded > 0 ? 'minus ' : '') + wholeWords(i64(whole)) + (fraction.length == 0 ? '' : ' point' + fraction)
}

function wholeWords(value: i64): string {
  if (value < 1_000) return numberWords(i32(value))
  const rest = value % 1_000
  const tail = rest == 0 ? '' : (rest < 100 ? ' and ' : ' ') + numberWords(i32(rest))
  if (value < 1_000_000) return numberWords(i32(value / 1_000)) + ' thousand' + tail
  const thousands = (value / 1_000) % 1_000
  const middle = thousands == 0 ? '' : ' ' + numberWords(i32(thousands)) + ' thousand'
  if (value < 1_000_000_000) return numberWords(i32(value / 1_000_000)) + ' million' + middle + tail
  return value.toString()
}
