/** Logistic regression by Newton's method, for a handful of inputs and some thousands of examples. */

export interface Example {
  readonly inputs: readonly number[]
  readonly positive: boolean
  /** How much it counts. */
  readonly weight: number
}

/** One weight per input, the bias behind them. `penalty` on the squared weights keeps them finite on separable data. */
export function fitLogistic(examples: readonly Example[], penalty = 1, rounds = 40): readonly number[] {
  const size = (examples[0]?.inputs.length ?? 0) + 1
  let weights: readonly number[] = new Array<number>(size).fill(0)
  for (let round = 0; round < rounds; round += 1) {
    const gradient = weights.map((weight, i) => (i === size - 1 ? 0 : penalty * weight))
    const curvature = weights.map((_, i) =>
      weights.map((_, j) => (i !== j ? 0 : i === size - 1 ? 1e-6 : penalty)),
    )
    for (const { inputs, positive, weight } of examples) {
      const row = [...inputs, 1]
      const sure = probability(weights, inputs)
      for (let i = 0; i < size; i += 1) {
        gradient[i]! += weight * (sure - (positive ? 1 : 0)) * row[i]!
        for (let j = 0; j < size; j += 1) curvature[i]![j]! += weight * sure * (1 - sure) * row[i]! * row[j]!
      }
    }
    const step = solved(curvature, gradient)
    weights = weights.map((weight, i) => weight - step[i]!)
  }
  return weights
}

export function probability(weights: readonly number[], inputs: readonly number[]): number {
  const sum = inputs.reduce((sum, input, i) => sum + weights[i]! * input, weights.at(-1)!)
  return 1 / (1 + Math.exp(-sum))
}

/** Gauss–Jordan with pivoting; both arguments are used up. */
function solved(matrix: number[][], right: number[]): number[] {
  const size = right.length
  for (let column = 0; column < size; column += 1) {
    let pivot = column
    for (let row = column + 1; row < size; row += 1) {
      if (Math.abs(matrix[row]![column]!) > Math.abs(matrix[pivot]![column]!)) pivot = row
    }
    ;[matrix[column], matrix[pivot]] = [matrix[pivot]!, matrix[column]!]
    ;[right[column], right[pivot]] = [right[pivot]!, right[column]!]
    for (let row = 0; row < size; row += 1) {
      if (row === column) continue
      const factor = matrix[row]![column]! / matrix[column]![column]!
      for (let k = column; k < size; k += 1) matrix[row]![k]! -= factor * matrix[column]![k]!
      right[row]! -= factor * right[column]!
    }
  }
  return right.map((value, i) => value / matrix[i]![i]!)
}

/** The chance that a positive example is surer than a negative one: the area under the ROC curve. */
export function rankedRight(positive: readonly number[], negative: readonly number[]): number {
  const sorted = [...negative].sort((a, b) => a - b)
  const below = (value: number): number => {
    let [from, to] = [0, sorted.length]
    while (from < to) {
      const middle = (from + to) >> 1
      if (sorted[middle]! < value) from = middle + 1
      else to = middle
    }
    return from
  }
  return positive.reduce((sum, value) => sum + below(value), 0) / (positive.length * negative.length)
}
