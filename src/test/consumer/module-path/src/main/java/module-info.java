/** What another project's module needs. */
module example {
    requires io.loomverbs;
}
