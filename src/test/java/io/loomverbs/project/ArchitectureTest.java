package io.loomverbs.project;

import static com.tngtech.archunit.base.DescribedPredicate.alwaysTrue;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;

import io.loomverbs.VerbsException;
import io.loomverbs.cm.ConnectionException;
import io.loomverbs.support.PublicApi;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleDescriptor.Exports;
import java.lang.module.ModuleDescriptor.Requires;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** The packages of the design, which of them may know which, and what of all this is public. */
class ArchitectureTest {
    private static final String API = "io.loomverbs";
    private static final String BLOCKING = API + ".blocking";
    private static final String CM = API + ".cm";
    private static final String MANAGEMENT = API + ".management";
    private static final String MICROMETER = API + ".micrometer";
    private static final String TESTKIT = API + ".testkit";
    private static final String JUNIT = TESTKIT + ".junit";
    private static final String INTERNAL = API + ".internal.";

    /** Exceptions that others extend. */
    private static final Set<Class<?>> EXTENDED =
            Set.of(VerbsException.class, ConnectionException.class);

    private static final JavaClasses CLASSES = new ClassFileImporter().importPath(PublicApi.root());

    private static ModuleDescriptor module() throws IOException {
        try (InputStream in = Files.newInputStream(PublicApi.root().resolve("module-info.class"))) {
            return ModuleDescriptor.read(in);
        }
    }

    /** These packages are exported without a target; nothing is open. */
    @Test
    void onlyTheApiIsExported() throws IOException {
        ModuleDescriptor module = module();
        assertThat(module.exports())
                .extracting(Exports::source)
                .containsExactlyInAnyOrder(
                        API, BLOCKING, CM, MANAGEMENT, MICROMETER, TESTKIT, JUNIT);
        assertThat(module.exports()).noneMatch(Exports::isQualified);
        assertThat(module.isOpen()).isFalse();
        assertThat(module.opens()).isEmpty();
    }

    /** At run time the library needs nothing but java.base. */
    @Test
    void onlyJavaBaseIsRequired() throws IOException {
        Set<String> needed =
                module().requires().stream()
                        .filter(r -> !r.modifiers().contains(Requires.Modifier.STATIC))
                        .map(Requires::name)
                        .collect(Collectors.toSet());
        assertThat(needed).containsExactly("java.base");
    }

    /** Each package imports the JDK, annotations, itself, and what the design allows it. */
    @ParameterizedTest
    @CsvSource({
        "event,   ",
        "jfr,     ",
        "device,  event",
        "soft,    device event",
        "ibverbs, device event ffi jfr",
        "ffi,     ",
        "cm,      device",
        "softcm,  device cm soft",
        "rdmacm,  device event ffi cm ibverbs",
    })
    void aPackageKnowsOnlyThePackagesItMay(String name, String others) {
        List<String> allowed = new ArrayList<>(List.of(INTERNAL + name + ".."));
        if (others != null) {
            for (String other : others.split(" ", -1)) {
                allowed.add(INTERNAL + other + "..");
            }
        }
        mayDependOn(INTERNAL + name + "..", allowed);
    }

    /** The API knows the core and the ops table, and no device. */
    @Test
    void theApiKnowsNoDevice() {
        mayDependOn(
                API, List.of(API, INTERNAL + "event..", INTERNAL + "device..", INTERNAL + "jfr.."));
    }

    /** Blocking requests are made of the public API alone. */
    @Test
    void blockingRequestsKnowTheApiOnly() {
        mayDependOn(BLOCKING, List.of(BLOCKING, API));
    }

    /** Connections are built on the API, the ops table of connection managers and its numbers. */
    @Test
    void connectionsKnowNoManager() {
        mayDependOn(CM, List.of(API, CM, INTERNAL + "cm..", INTERNAL + "device.."));
    }

    /** What is shown through JMX is read through the API. */
    @Test
    void managementKnowsNoDevice() {
        mayDependOn(
                MANAGEMENT, List.of(API, MANAGEMENT, INTERNAL + "device..", "javax.management.."));
    }

    /** Micrometer is optional, and so only one package knows it, which is built on the API. */
    @Test
    void onlyOnePackageKnowsMicrometer() {
        mayDependOn(MICROMETER, List.of(API, MICROMETER, "io.micrometer.core.instrument.."));
        noClasses()
                .that()
                .resideOutsideOfPackage(MICROMETER)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.micrometer..", MICROMETER)
                .check(CLASSES);
    }

    /** Flight Recorder is optional, and so only one package knows it. */
    @Test
    void onlyOnePackageKnowsFlightRecorder() {
        noClasses()
                .that()
                .resideOutsideOfPackage(INTERNAL + "jfr..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("jdk.jfr..")
                .check(CLASSES);
    }

    /** The test kit is built on the API and the ops table; its extension alone knows JUnit. */
    @Test
    void theTestKitKnowsNoDevice() {
        mayDependOn(TESTKIT, List.of(API, TESTKIT, INTERNAL + "device.."));
        mayDependOn(JUNIT, List.of(TESTKIT, JUNIT, "org.junit.jupiter.api.extension.."));
    }

    private static void mayDependOn(String name, List<String> allowed) {
        List<String> all = new ArrayList<>(allowed);
        all.addAll(
                List.of(
                        "java..",
                        "jdk.jfr..",
                        "jdk.management..",
                        "com.sun.management..",
                        "org.jspecify.annotations..",
                        "com.google.errorprone.."));
        classes()
                .that()
                .resideInAPackage(name)
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage(all.toArray(String[]::new)))
                .allowEmptyShould(true) // some packages are still to be built
                .check(CLASSES);
    }

    /** Nothing knows the command line but itself. */
    @Test
    void nothingKnowsTheTools() {
        classes()
                .that()
                .resideInAPackage(API + ".tools..")
                .should()
                .onlyHaveDependentClassesThat(resideInAnyPackage(API + ".tools.."))
                .allowEmptyShould(true)
                .check(CLASSES);
    }

    /** No two packages know each other, not even in a circle. */
    @Test
    void thereAreNoCircles() {
        slices().matching("io.loomverbs.(**)").should().beFreeOfCycles().check(CLASSES);
    }

    /** Every class is in a package that the design draws. */
    @Test
    void everyClassIsInAPackageOfTheDesign() {
        classes()
                .that(alwaysTrue())
                .should()
                .resideInAnyPackage(
                        API,
                        BLOCKING,
                        CM,
                        MANAGEMENT,
                        MICROMETER,
                        TESTKIT,
                        JUNIT,
                        INTERNAL + "cm",
                        INTERNAL + "softcm",
                        INTERNAL + "rdmacm",
                        INTERNAL + "event",
                        INTERNAL + "jfr",
                        INTERNAL + "device",
                        INTERNAL + "soft",
                        INTERNAL + "ibverbs",
                        INTERNAL + "ffi",
                        API + ".tools..")
                .check(CLASSES);
    }

    /** A test that is disabled proves nothing; SkippedTests fails those that give up. */
    @Test
    void noTestIsDisabled() {
        noClasses()
                .should()
                .dependOnClassesThat(
                        nameMatching(
                                "org\\.junit\\.jupiter\\.api\\.(Disabled|Assumptions|condition\\..*)"
                                    + "|org\\.assertj\\..*Assumptions"))
                .check(new ClassFileImporter().importPath(Path.of("target/test-classes")));
    }

    /** No class of the API can be extended, except the exceptions. */
    @Test
    void publicClassesAreFinal() {
        assertThat(PublicApi.types())
                .filteredOn(type -> !type.isInterface() && !EXTENDED.contains(type))
                .filteredOn(type -> !type.isEnum())
                .allMatch(
                        type -> Modifier.isFinal(type.getModifiers()) || type.isSealed(),
                        "final or sealed");
    }

    /** What is public is public on purpose: a new type is added here, too. */
    @Test
    void thePublicTypesAreThese() {
        assertThat(PublicApi.types())
                .extracting(type -> type.getCanonicalName().substring(API.length() + 1))
                .containsExactlyInAnyOrder(
                        "Access",
                        "AddressHandle",
                        "AhAttributes",
                        "AsyncEvent",
                        "AsyncEventType",
                        "AtomicCapability",
                        "ChannelHandler",
                        "ChannelStats",
                        "ClosedException",
                        "CompletionChannel",
                        "CompletionHandler",
                        "CompletionQueue",
                        "Context",
                        "ContextStats",
                        "CqConfig",
                        "CqEvent",
                        "CqGroup",
                        "CqStats",
                        "Device",
                        "DeviceAttributes",
                        "DeviceCapability",
                        "ExtendedDeviceAttributes",
                        "FailurePolicy",
                        "Gid",
                        "GidEntry",
                        "GidType",
                        "GroupCompletions",
                        "LinkLayer",
                        "MemoryRegion",
                        "MemoryWindow",
                        "MrAdvice",
                        "MrChanges",
                        "Mtu",
                        "MwType",
                        "PortAttributes",
                        "PortState",
                        "PostException",
                        "ProtectionDomain",
                        "QpAttributes",
                        "QpAttributes.Builder",
                        "QpConfig",
                        "QpEndpoint",
                        "QpState",
                        "QpType",
                        "QueuePair",
                        "RecvWorkRequest",
                        "SendWorkRequest",
                        "Serving",
                        "SharedReceiveQueue",
                        "SrqAttributes",
                        "TransportType",
                        "VectorPolicy",
                        "Verbs",
                        "VerbsException",
                        "WaitStats",
                        "WaitStrategy",
                        "WcField",
                        "WcOpcode",
                        "WcStatus",
                        "WorkCompletion",
                        "WorkCompletions",
                        "cm.ConnectRequest",
                        "cm.ConnectionConfig",
                        "cm.ConnectionException",
                        "cm.ConnectionManager",
                        "cm.ConnectionTimeoutException",
                        "cm.RdmaConnection",
                        "cm.RdmaListener",
                        "cm.RdmaRoute",
                        "cm.RejectedException",
                        "cm.MulticastGroup",
                        "cm.UdListener",
                        "cm.UdPeer",
                        "cm.UdRequest",
                        "cm.UdRoute",
                        "blocking.Buffer",
                        "blocking.BufferPool",
                        "blocking.Description",
                        "blocking.Message",
                        "blocking.Pending",
                        "blocking.RemoteRegion",
                        "blocking.RequestFailedException",
                        "blocking.RequestInterruptedException",
                        "blocking.RequestTimeoutException",
                        "blocking.Requests",
                        "blocking.RequestsConfig",
                        "management.VerbsMXBean",
                        "management.VerbsManagement",
                        "micrometer.ContextMeters",
                        "testkit.Distribution",
                        "testkit.Faults",
                        "testkit.Leaks",
                        "testkit.junit.FailOnLeaks");
    }

    /** No signature of the API shows an internal type. */
    @Test
    void signaturesShowOnlyPublicTypes() {
        for (Class<?> type : PublicApi.types()) {
            for (var method : type.getMethods()) {
                if (method.getDeclaringClass().getName().startsWith(API)) {
                    List<Class<?>> shown = new ArrayList<>(List.of(method.getParameterTypes()));
                    shown.add(method.getReturnType());
                    assertThat(shown)
                            .as("%s", method)
                            .noneMatch(c -> c.getName().contains(".internal."));
                }
            }
        }
    }
}
