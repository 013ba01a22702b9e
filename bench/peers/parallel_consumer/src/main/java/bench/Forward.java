package bench;

import io.confluent.parallelconsumer.ParallelConsumerOptions;
import io.confluent.parallelconsumer.ParallelConsumerOptions.ProcessingOrder;
import io.confluent.parallelconsumer.vertx.VertxParallelEoSStreamProcessor;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.ext.web.client.HttpRequest;
import io.vertx.ext.web.client.WebClient;
import io.vertx.ext.web.client.WebClientOptions;
import io.vertx.ext.web.client.predicate.ResponsePredicate;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * The way with Confluent's Parallel Consumer and its Vert.x module.
 *
 * <p>No order, one event a POST, as many at once as the job allows. It commits every five seconds,
 * its default, with a map of what is done beyond the first that is not.
 */
public final class Forward {

  private Forward() {}

  public static void main(String[] arguments) {
    int inFlight = Integer.parseInt(System.getenv("PEER_IN_FLIGHT"));
    Vertx vertx = Vertx.vertx(new VertxOptions().setPreferNativeTransport(true));
    WebClient client = WebClient.create(vertx, new WebClientOptions().setMaxPoolSize(inFlight));
    HttpRequest<Buffer> post =
        client
            .postAbs(System.getenv("PEER_URL"))
            .putHeader("Content-Type", "application/json")
            .expect(ResponsePredicate.SC_SUCCESS);

    var options =
        ParallelConsumerOptions.<byte[], byte[]>builder()
            .consumer(consumer(System.getenv("PEER_BROKER"), System.getenv("PEER_GROUP")))
            .ordering(ProcessingOrder.UNORDERED)
            .maxConcurrency(inFlight)
            .build();
    var processor = new VertxParallelEoSStreamProcessor<byte[], byte[]>(vertx, client, options);
    Runtime.getRuntime().addShutdownHook(new Thread(processor::closeDontDrainFirst));
    processor.subscribe(List.of(System.getenv("PEER_TOPIC")));
    processor.vertxFuture(event -> post.sendBuffer(Buffer.buffer(event.value())));
  }

  private static Consumer<byte[], byte[]> consumer(String broker, String group) {
    Map<String, Object> settings =
        Map.of(
            ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, broker,
            ConsumerConfig.GROUP_ID_CONFIG, group,
            ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest",
            ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }
}
