/** Extensions for JUnit 5, which is needed for these alone. */
package io.loomverbs.testkit.junit;
