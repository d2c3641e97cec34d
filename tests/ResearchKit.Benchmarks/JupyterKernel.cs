using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using BenchmarkDotNet.Attributes;
using ResearchKit.Kernel.Protocol;
using ResearchKit.Kernel.Protocol.Client;

namespace ResearchKit.Benchmarks;

/// <summary>
/// The kernel as a front end meets it: from the start of its process to its first result (to reach: well under 2 s), and the
/// round trip of a cell that does nothing (to reach: under 30 ms).
/// </summary>
public class JupyterKernel
{
    private static readonly string Program = Path.Combine(Root(), "kernel", "bin", "Release", "net10.0", "ResearchKit.Kernel");
    private Running running = null!;
    private int count;

    [GlobalSetup]
    public async Task SetUp()
    {
        running = new Running();
        await running.Client.ReadyAsync(default).ConfigureAwait(false);
    }

    [GlobalCleanup]
    public void CleanUp() => running.Dispose();

    [Benchmark]
    [WarmupCount(3)]
    // some two hundred cells in all, a long session: the compiler looks through all cells before, so later ones take longer
    [InvocationCount(16)]
    public Task<string> RoundTrip() => running.ExecuteAsync($"{++count}");

    [Benchmark]
    [WarmupCount(2)]
    public async Task<string> FirstResult()
    {
        using var kernel = new Running();
        await kernel.Client.ReadyAsync(default).ConfigureAwait(false);
        return await kernel.ExecuteAsync("1 + 1").ConfigureAwait(false);
    }

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "ResearchKit.sln"))) folder = Path.GetDirectoryName(folder)!;
        return folder;
    }

    private sealed class Running : IDisposable
    {
        private readonly string path = Path.GetTempFileName();
        private readonly Process process;

        public Running()
        {
            var ports = FreePorts(5);
            File.WriteAllText(path, JsonSerializer.Serialize(new
            {
                transport = "tcp",
                ip = "127.0.0.1",
                signature_scheme = "hmac-sha256",
                key = Guid.NewGuid().ToString(),
                shell_port = ports[0],
                control_port = ports[1],
                stdin_port = ports[2],
                iopub_port = ports[3],
                hb_port = ports[4],
            }));
            process = Process.Start(Program, ["kernel", "start", path]);
            Client = new KernelClient(ConnectionFile.Load(path), _ => { }, Console.Error.WriteLine);
        }

        public KernelClient Client { get; }

        public async Task<string> ExecuteAsync(string code)
        {
            using var request = Client.Send("execute_request",
                new JsonObject { ["code"] = code, ["silent"] = false, ["store_history"] = true });
            var result = "";
            while (await request.NextAsync().ConfigureAwait(false) is { } message)
                if (message.Type == "execute_result") result = (string)message.Content["data"]!["text/plain"]!;
            return result.Length > 0 ? result : throw new InvalidOperationException("The kernel gave no result.");
        }

        public void Dispose()
        {
            Client.Dispose();
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            process.Dispose();
            File.Delete(path);
        }

        private static int[] FreePorts(int number)
        {
            var listeners = Enumerable.Range(0, number).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
            foreach (var listener in listeners) listener.Start();
            int[] ports = [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
            foreach (var listener in listeners) listener.Dispose();
            return ports;
        }
    }
}
