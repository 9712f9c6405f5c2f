// Starts DynamoDB Local on 127.0.0.1 only, with its shards under a test's control; its own command
// has no option for either.
// Run from source: java -cp 'DynamoDBLocal.jar:DynamoDBLocal_lib/*' LoopbackServer.java -port 8000 …

import com.amazonaws.services.dynamodbv2.local.main.ServerRunner;
import com.amazonaws.services.dynamodbv2.local.server.AbstractLocalDynamoDBServerHandler;
import com.amazonaws.services.dynamodbv2.local.server.DynamoDBProxyServer;
import java.lang.reflect.Field;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

public class LoopbackServer {
    public static void main(String[] options) throws Exception {
        DynamoDBProxyServer dynamodb = ServerRunner.createServerFromCommandLineArgs(options);
        // The web server is made by now and listens once it is started. Another version without
        // this field ends here with an error, and nothing listens anywhere.
        Object server = field(DynamoDBProxyServer.class, "server").get(dynamodb);
        for (Connector connector : ((Server) server).getConnectors()) {
            ((ServerConnector) connector).setHost("127.0.0.1");
        }
        // A write to the table [TEST_CONTROL], which no real table can be called, is then a command.
        Object handler = field(DynamoDBProxyServer.class, "serverHandler").get(dynamodb);
        Object requests =
            field(AbstractLocalDynamoDBServerHandler.class, "primaryHandler").get(handler);
        field(requests.getClass(), "isTestControlEnabled").setBoolean(requests, true);
        dynamodb.start();
        dynamodb.join();
    }

    private static Field field(Class<?> owner, String name) throws NoSuchFieldException {
        Field field = owner.getDeclaredField(name);
        field.setAccessible(true);
        return field;
    }
}
