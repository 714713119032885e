/** What somebody else's module needs. */
module example {
    requires io.loomverbs;
}
