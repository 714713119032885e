/** Helpers of the tests that use the public API alone. */
package io.loomverbs.support;
