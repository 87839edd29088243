/** What a skill's actor and the desk of approvals agree on. */

/** On this topic a skill says that it wants something allowed. */
export const APPROVALS = 'approval.wanted'

/** What a yes or no to it, said aloud, is brought to the skill as; no manifest can name an intent so. */
export const approvalIntent = (skill: string): string => `${skill}.-approval`
