import java.sql.*;

public class FindMaster {
    public static void main(String[] arguments) throws Exception {
        String[] ports = System.getenv("SHOP_PORTS").split(",");
        String where = "jdbc:postgresql://127.0.0.1:" + ports[0] + ",127.0.0.1:" + ports[1]
            + "/shop?targetServerType=primary&hostRecheckSeconds=0";
        Connection connection = null;
        while (true) {
            try {
                if (connection == null)
                    connection = DriverManager.getConnection(where, "dba", System.getenv("PGPASSWORD"));
                try (PreparedStatement insert = connection.prepareStatement("INSERT INTO item (name) VALUES (?)")) {
                    insert.setString(1, System.getenv("SHOP_NAME"));
                    insert.executeUpdate();
                }
                try (Statement statement = connection.createStatement();
                     ResultSet port = statement.executeQuery("SELECT inet_server_port()")) {
                    port.next();
                    if (port.getInt(1) == Integer.parseInt(ports[1]))
                        return;
                }
            } catch (SQLException error) {
                System.out.println(error);
                if (connection != null)
                    connection.close();
                connection = null;
            }
            Thread.sleep(20);
        }
    }
}
