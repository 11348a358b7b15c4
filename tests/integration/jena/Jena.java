import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.jena.query.Dataset;
import org.apache.jena.query.DatasetFactory;
import org.apache.jena.rdf.model.Model;
import org.apache.jena.rdf.model.Statement;
import org.apache.jena.rdfconnection.RDFConnection;
import org.apache.jena.rdfconnection.RDFConnectionRemote;
import org.apache.jena.riot.Lang;
import org.apache.jena.riot.RDFDataMgr;

/**
 * Reads files with Jena's parsers, and asks an endpoint with its client.
 *
 * <pre>
 * Jena read FROM TO          reads each file of FROM and writes it to TO/NAME.nq
 * Jena ask QUERY GRAPHS      asks the endpoints of the SPARQL 1.1 Protocol and of the Graph Store Protocol
 * </pre>
 *
 * One line for each file or question: its name, a tab, and the answer or the error; `ok` for a file that is read.
 */
public final class Jena {
    private static final String RUN = "http://example.org/run";
    private static final String USED = "http://www.w3.org/ns/prov#used";
    private static final String RAW = "http://example.org/raw";

    private interface Question {
        Object ask() throws Exception;
    }

    private Jena() {}

    public static void main(String[] args) throws Exception {
        if (args[0].equals("read")) {
            read(Path.of(args[1]), Path.of(args[2]));
        } else {
            ask(args[1], args[2]);
        }
    }

    private static void read(Path from, Path to) throws Exception {
        List<Path> files;
        try (Stream<Path> found = Files.list(from)) {
            files = found.sorted().collect(Collectors.toList());
        }
        for (Path file : files) {
            answer(file.getFileName().toString(), () -> {
                Dataset dataset = DatasetFactory.create();
                // Media types and not suffixes: `.rdf.jsonld` is no suffix that Jena knows.
                RDFDataMgr.read(dataset, file.toUri().toString(), language(file));
                try (OutputStream out = Files.newOutputStream(to.resolve(file.getFileName() + ".nq"))) {
                    RDFDataMgr.write(out, dataset, Lang.NQUADS);
                }
                return "ok";
            });
        }
    }

    private static Lang language(Path file) {
        String name = file.getFileName().toString();
        switch (name.substring(name.lastIndexOf('.') + 1)) {
            case "ttl": return Lang.TURTLE;
            case "trig": return Lang.TRIG;
            case "nt": return Lang.NTRIPLES;
            case "nq": return Lang.NQUADS;
            case "rdf": return Lang.RDFXML;
            default: return Lang.JSONLD;
        }
    }

    private static void ask(String query, String graphs) {
        RDFConnection endpoint = RDFConnectionRemote.newBuilder().queryEndpoint(query).gspEndpoint(graphs).build();
        String select = "SELECT ?run ?input { ?run <" + USED + "> ?input }";
        answer("select", () -> {
            List<String> rows = new ArrayList<>();
            endpoint.querySelect(select, row -> rows.add(row.getResource("run") + " " + row.getResource("input")));
            return String.join("; ", rows);
        });
        answer("ask", () -> endpoint.queryAsk("ASK { ?run <" + USED + "> ?input }"));
        answer("construct", () -> text(endpoint.queryConstruct(
                "CONSTRUCT { ?run <" + USED + "> ?input } WHERE { ?run <" + USED + "> ?input }")));
        answer("describe", () -> text(endpoint.queryDescribe("DESCRIBE <" + RAW + ">")));
        answer("default graph", () -> endpoint.fetch().contains(
                endpoint.fetch().createResource(RUN), endpoint.fetch().createProperty(USED)));
        answer("refused", () -> endpoint.query("SELECT ?x { SERVICE <http://example.org/> { ?x ?y ?z } }").execSelect());
        endpoint.close();
    }

    private static String text(Model model) {
        List<String> lines = new ArrayList<>();
        for (Statement statement : model.listStatements().toList()) {
            lines.add(statement.getSubject() + " " + statement.getPredicate() + " " + statement.getObject());
        }
        return lines.stream().sorted().collect(Collectors.joining("; "));
    }

    private static void answer(String name, Question question) {
        Object found;
        try {
            found = question.ask();
        } catch (Exception error) {
            found = error.getClass().getSimpleName() + ": " + error.getMessage();
        }
        byte[] line = (name + "\t" + String.valueOf(found).replaceAll("\\s+", " ") + "\n").getBytes(StandardCharsets.UTF_8);
        System.out.write(line, 0, line.length);
        System.out.flush();
    }
}
