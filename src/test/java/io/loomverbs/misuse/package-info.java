/** Bad input to every public method, and every public method after close. */
package io.loomverbs.misuse;
