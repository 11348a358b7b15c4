import java.nio.charset.StandardCharsets;
import java.util.stream.Collectors;
import org.eclipse.rdf4j.model.IRI;
import org.eclipse.rdf4j.model.Statement;
import org.eclipse.rdf4j.model.ValueFactory;
import org.eclipse.rdf4j.model.impl.SimpleValueFactory;
import org.eclipse.rdf4j.query.QueryLanguage;
import org.eclipse.rdf4j.query.TupleQuery;
import org.eclipse.rdf4j.repository.RepositoryConnection;
import org.eclipse.rdf4j.repository.sparql.SPARQLRepository;

/**
 * Asks an endpoint as programs with RDF4J do.
 *
 * <pre>Rdf4j ENDPOINT</pre>
 *
 * One line for each question: its name, a tab, and the answer or the error.
 */
public final class Rdf4j {
    private static final ValueFactory TERMS = SimpleValueFactory.getInstance();
    private static final IRI RUN = TERMS.createIRI("http://example.org/run");
    private static final IRI USED = TERMS.createIRI("http://www.w3.org/ns/prov#used");
    private static final IRI RAW = TERMS.createIRI("http://example.org/raw");
    private static final String SELECT = "SELECT ?run ?input { ?run <" + USED + "> ?input }";

    private interface Question {
        Object ask(RepositoryConnection endpoint) throws Exception;
    }

    private Rdf4j() {}

    public static void main(String[] args) {
        SPARQLRepository repository = new SPARQLRepository(args[0]);
        repository.init();
        try (RepositoryConnection endpoint = repository.getConnection()) {
            answer(endpoint, "select", it -> it.prepareTupleQuery(SELECT).evaluate().stream()
                    .map(row -> row.getValue("run") + " " + row.getValue("input")).collect(Collectors.joining("; ")));
            answer(endpoint, "bound", it -> {
                TupleQuery query = it.prepareTupleQuery(QueryLanguage.SPARQL, SELECT);
                query.setBinding("run", RUN);
                return query.evaluate().stream().map(row -> row.getValue("input")).collect(Collectors.toList());
            });
            answer(endpoint, "long", it -> it.prepareTupleQuery(SELECT + " #" + "x".repeat(5000)).evaluate().stream().count());
            answer(endpoint, "ask", it -> it.prepareBooleanQuery("ASK { ?run <" + USED + "> ?input }").evaluate());
            answer(endpoint, "construct", it -> it.prepareGraphQuery(
                    "CONSTRUCT { ?run <" + USED + "> ?input } WHERE { ?run <" + USED + "> ?input }").evaluate().stream()
                    .map(Rdf4j::text).collect(Collectors.joining("; ")));
            answer(endpoint, "describe", it -> it.prepareGraphQuery("DESCRIBE <" + RAW + ">").evaluate().stream()
                    .map(Rdf4j::text).collect(Collectors.joining("; ")));
            answer(endpoint, "statements", it -> it.getStatements(RUN, USED, null).stream()
                    .map(Rdf4j::text).collect(Collectors.joining("; ")));
            answer(endpoint, "contains", it -> it.hasStatement(RUN, USED, RAW, false));
            answer(endpoint, "graphs", it -> it.getContextIDs().stream().count() > 0);
            answer(endpoint, "not a query", it -> it.prepareTupleQuery("SELECT ?x { ?x ").evaluate().stream().count());
        }
        repository.shutDown();
    }

    private static void answer(RepositoryConnection endpoint, String name, Question question) {
        Object found;
        try {
            found = question.ask(endpoint);
        } catch (Exception error) {
            found = error.getClass().getSimpleName() + ": " + error.getMessage();
        }
        byte[] line = (name + "\t" + String.valueOf(found).replaceAll("\\s+", " ") + "\n").getBytes(StandardCharsets.UTF_8);
        System.out.write(line, 0, line.length);
        System.out.flush();
    }

    private static String text(Statement statement) {
        return statement.getSubject() + " " + statement.getPredicate() + " " + statement.getObject();
    }
}
