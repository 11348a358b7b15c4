import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.openprovenance.prov.interop.InteropFramework;
import org.openprovenance.prov.model.Bundle;
import org.openprovenance.prov.model.DateTimeOption;
import org.openprovenance.prov.model.Document;
import org.openprovenance.prov.model.QualifiedName;
import org.openprovenance.prov.model.StatementOrBundle;
import org.openprovenance.prov.model.interop.Formats.ProvFormat;
import org.openprovenance.prov.validation.Config;
import org.openprovenance.prov.validation.ObjectMaker;
import org.openprovenance.prov.validation.Unknown;
import org.openprovenance.prov.validation.Validate;
import org.openprovenance.prov.validation.VarQName;
import org.openprovenance.prov.validation.report.ValidationReport;

/**
 * Runs ProvToolbox over a folder of documents in one process.
 *
 * <pre>
 * Provtoolbox convert FROM TO [SUFFIX...]   reads each file of FROM and writes it to TO/NAME.SUFFIX in each format
 * Provtoolbox validate FROM                 reads each file of FROM and checks it against PROV-CONSTRAINTS
 * </pre>
 *
 * One line of tab-separated fields for each file, in order of names: the file, the step that ended it (`read`,
 * `write SUFFIX`, `validate`), `ok` or `error`, and what was found: the number of statements, the verdict or the error.
 */
public final class Provtoolbox {
    private static final Map<String, ProvFormat> FORMATS = Map.of(
            "provn", ProvFormat.PROVN, "provx", ProvFormat.PROVX,
            "json", ProvFormat.JSON, "jsonld", ProvFormat.JSONLD);
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    static {
        System.setOut(System.err); // what the libraries print and log is no result
    }

    private static final InteropFramework TOOLBOX = new InteropFramework();

    private Provtoolbox() {}

    public static void main(String[] args) throws Exception {
        List<Path> files;
        try (Stream<Path> found = Files.list(Path.of(args[1]))) {
            files = found.filter(file -> FORMATS.containsKey(suffix(file))).sorted().collect(Collectors.toList());
        }
        for (Path file : files) {
            if (args[0].equals("validate")) {
                validate(file);
            } else {
                convert(file, Path.of(args[2]), List.of(args).subList(3, args.length));
            }
        }
    }

    private static void convert(Path file, Path to, List<String> suffixes) {
        Document document = read(file);
        if (document == null) {
            return;
        }
        for (String suffix : suffixes) {
            try {
                ByteArrayOutputStream written = new ByteArrayOutputStream();
                TOOLBOX.writeDocument(written, document, FORMATS.get(suffix));
                Files.write(to.resolve(file.getFileName() + "." + suffix), written.toByteArray());
                line(file, "write " + suffix, "ok", "");
            } catch (Throwable error) {
                line(file, "write " + suffix, "error", message(error));
            }
        }
    }

    private static void validate(Path file) {
        Document document = read(file);
        if (document == null) {
            return;
        }
        try {
            Config config = Config.newYesToAllConfig(TOOLBOX.getFactory(), new Variables());
            line(file, "validate", "ok", verdict(new Validate(config).validate(document)));
        } catch (Throwable error) {
            line(file, "validate", "error", message(error));
        }
    }

    /** The kinds of violation that a report has, or `valid`. Bundles have reports of their own. */
    private static String verdict(ValidationReport report) {
        TreeMap<String, Integer> kinds = new TreeMap<>();
        count(report, kinds);
        return kinds.isEmpty() ? "valid" : kinds.toString();
    }

    private static void count(ValidationReport report, Map<String, Integer> kinds) {
        add(kinds, "cycle", report.getCycle().size());
        add(kinds, "merge", report.getFailedMerge().size());
        add(kinds, "mismatch", report.getQualifiedNameMismatch().size());
        add(kinds, "types", report.getTypeOverlap().size());
        add(kinds, "impossible", report.getTypeReport() == null ? 0 : 1);
        add(kinds, "specialization", report.getSpecializationReport() == null ? 0 : 1);
        add(kinds, "malformed", report.getMalformedStatements() == null ? 0 : 1);
        for (ValidationReport inner : report.getValidationReport()) {
            count(inner, kinds);
        }
    }

    private static void add(Map<String, Integer> counts, String kind, int more) {
        if (more > 0) {
            counts.merge(kind, more, Integer::sum);
        }
    }

    private static Document read(Path file) {
        try {
            byte[] bytes = Files.readAllBytes(file);
            Document document = TOOLBOX.readDocument(
                    new ByteArrayInputStream(bytes), FORMATS.get(suffix(file)), DateTimeOption.PRESERVE, null);
            int statements = 0;
            for (StatementOrBundle item : document.getStatementOrBundle()) {
                statements += item instanceof Bundle ? ((Bundle) item).getStatement().size() : 1;
            }
            line(file, "read", "ok", Integer.toString(statements));
            return document;
        } catch (Throwable error) {
            line(file, "read", "error", message(error));
            return null;
        }
    }

    private static String suffix(Path file) {
        String name = file.getFileName().toString();
        return name.substring(name.lastIndexOf('.') + 1);
    }

    private static String message(Throwable error) {
        Throwable cause = error;
        while (cause.getCause() != null && cause.getCause() != cause) {
            cause = cause.getCause();
        }
        return cause.getClass().getSimpleName() + ": " + cause.getMessage();
    }

    private static void line(Path file, String step, String outcome, String found) {
        OUT.println(String.join("\t", file.getFileName().toString(), step, outcome, found.replaceAll("\\s+", " ")));
    }

    /** The variables of the checker, which takes their classes from its caller. */
    private static final class Variables implements ObjectMaker {
        @Override
        public VarQName makeVarQName(String namespace, String local, String prefix) {
            return new Variable(namespace, local, prefix);
        }

        @Override
        public VarQName makeVarQName(QualifiedName name) {
            return new Variable(name.getNamespaceURI(), name.getLocalPart(), name.getPrefix());
        }

        @Override
        public Unknown makeUnknown(String namespace, String prefix) {
            return new Missing(namespace, prefix);
        }
    }

    private static final class Variable extends org.openprovenance.prov.vanilla.QualifiedName implements VarQName {
        Variable(String namespace, String local, String prefix) {
            super(namespace, local, prefix);
        }
    }

    private static final class Missing extends org.openprovenance.prov.vanilla.QualifiedName implements Unknown {
        Missing(String namespace, String prefix) {
            super(namespace, "unknown", prefix);
        }
    }
}
