package io.loomverbs.project;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;

import io.loomverbs.support.PublicApi;

import org.junit.jupiter.api.Test;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.StreamSupport;

/** What GraalVM's native-image must be told of the library is told in its jar. */
class NativeImageTest {
    private static final Path METADATA =
            Path.of(
                    "src/main/resources/META-INF/native-image/io.loomverbs/loomverbs",
                    "reachability-metadata.json");

    /** No downcall is linked that is not there, and nothing is there that is not linked. */
    @Test
    void everyDowncallIsThere() throws Exception {
        List<JsonElement> linked =
                Downcalls.all().stream().map(JsonParser::parseString).sorted(BY_TEXT).toList();
        assertThat(linked).hasSizeGreaterThan(20);
        JsonObject foreign =
                JsonParser.parseString(Files.readString(METADATA))
                        .getAsJsonObject()
                        .getAsJsonObject("foreign");
        List<JsonElement> told =
                StreamSupport.stream(foreign.getAsJsonArray("downcalls").spliterator(), false)
                        .toList();
        assertThat(told)
                .as(
                        "downcalls in %s; as they are linked: [\n%s\n]",
                        METADATA,
                        String.join(",\n", linked.stream().map(JsonElement::toString).toList()))
                .containsExactlyInAnyOrderElementsOf(linked);
    }

    /** No other package links a downcall, and there is no upcall, so the file has none. */
    @Test
    void onlyOnePackageLinks() throws Exception {
        JavaClasses classes = new ClassFileImporter().importPath(PublicApi.root());
        noClasses()
                .that()
                .resideOutsideOfPackage(Downcalls.PACKAGE)
                .should()
                .callMethodWhere(target(nameMatching("downcallHandle|nativeLinker")))
                .check(classes);
        noClasses().should().callMethodWhere(target(nameMatching("upcallStub"))).check(classes);
        assertThat(Files.readString(METADATA)).doesNotContain("upcalls");
    }

    private static final Comparator<JsonElement> BY_TEXT =
            Comparator.comparing(JsonElement::toString);
}
