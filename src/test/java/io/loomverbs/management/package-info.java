/** What the library shows through JMX. */
package io.loomverbs.management;
