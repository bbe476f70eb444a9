// For each mode a letter: y = within TLS, c = in clear text, n = not at all.
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Properties;

public class Modes {
    public static void main(String[] modes) {
        for (String mode : modes) System.out.print(letter(mode));
        System.out.flush();
    }

    static char letter(String mode) {
        String address = "jdbc:postgresql://" + System.getenv("HOST") + ":" + System.getenv("PORT") + "/shop";
        Properties properties = new Properties();
        properties.setProperty("user", "dba");
        properties.setProperty("password", System.getenv("SECRET"));
        properties.setProperty("sslmode", mode);
        properties.setProperty("sslrootcert", System.getenv("ROOT"));
        String question = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        try (Connection connection = DriverManager.getConnection(address, properties);
                ResultSet rows = connection.createStatement().executeQuery(question)) {
            rows.next();
            return rows.getBoolean(1) ? 'y' : 'c';
        } catch (SQLException error) {
            System.err.println(mode + " " + error.getMessage());
            return 'n';
        }
    }
}
