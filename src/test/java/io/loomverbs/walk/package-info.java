/**
 * Seeded random walks over the public API: every method, with good and bad arguments, on objects in
 * every state, against what must hold whatever is called. docs/testing.md says how to replay one.
 */
package io.loomverbs.walk;
