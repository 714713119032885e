/** What every device must do: run on soft0, strict0 and rxe0. */
package io.loomverbs.contract;
