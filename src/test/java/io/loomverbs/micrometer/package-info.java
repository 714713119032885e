/** Tests of the meters. */
package io.loomverbs.micrometer;
