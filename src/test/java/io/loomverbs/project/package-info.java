/** The project itself: its packages, its jar and its documents. */
package io.loomverbs.project;
