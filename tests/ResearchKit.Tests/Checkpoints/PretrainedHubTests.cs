using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using ResearchKit.Checkpoints;
using ResearchKit.Models;
using ResearchKit.Tests.Kernel;

namespace ResearchKit.Tests.Checkpoints;

/// <summary>Against a server on this machine that answers as the hub does.</summary>
public sealed class PretrainedHubTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly LoopbackHub server = new();
    private readonly PretrainedHub hub;

    public PretrainedHubTests()
    {
        hub = new PretrainedHub(server.Address, folder.PathTo("hub"));
        using var model = new Gpt(GptConfig.Nano);
        model.SavePretrained(folder.PathTo("published"), 40_000);
        model.SavePretrained(folder.PathTo("whole"));
    }

    public void Dispose()
    {
        hub.Dispose();
        server.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task A_model_is_downloaded_verified_and_cached()
    {
        Publish("whole");
        var heard = new List<DownloadProgress>();
        var place = await hub.DownloadAsync("someone/nano", progress: new Recorder(heard));
        using (var model = Gpt.FromPretrained(place)) Assert.Equal(GptConfig.Nano.Layers, model.Config.Layers);
        Assert.Equal(["config.json", "model.safetensors"], Directory.GetFiles(place).Select(Path.GetFileName).Order());
        var last = heard.Last(progress => progress.File == "model.safetensors");
        Assert.Equal((new FileInfo(Path.Combine(place, "model.safetensors")).Length, last.Total), (last.Bytes, last.Bytes));

        var asked = server.Requests.Count;
        Assert.Equal(place, await hub.DownloadAsync("someone/nano"));
        Assert.Equal(asked, server.Requests.Count);
    }

    [Fact]
    public async Task Sharded_weights_are_downloaded_with_their_index()
    {
        Publish("published");
        using var model = Gpt.FromPretrained(await hub.DownloadAsync("someone/nano"));
        Assert.Equal(GptConfig.Nano.ModelWidth, model.Config.ModelWidth);
    }

    [Fact]
    public async Task An_interrupted_download_resumes_where_it_stopped()
    {
        Publish("whole");
        server.BreakAfter = 10_000;
        await Assert.ThrowsAnyAsync<Exception>(() => hub.DownloadAsync("someone/nano"));
        var part = Directory.GetFiles(folder.PathTo("hub"), "*.part", SearchOption.AllDirectories).Single();
        Assert.InRange(new FileInfo(part).Length, 1, 10_000);
        var length = new FileInfo(part).Length;
        server.BreakAfter = null;
        using var model = Gpt.FromPretrained(await hub.DownloadAsync("someone/nano"));
        Assert.Contains(server.Requests, request => request.EndsWith($"bytes={length}-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_file_with_a_wrong_checksum_is_not_kept()
    {
        Publish("whole");
        server.Sha256["model.safetensors"] = new string('a', 64);
        var error = await Assert.ThrowsAsync<InvalidDataException>(() => hub.DownloadAsync("someone/nano"));
        Assert.Contains("the hub says aaaa", error.Message, StringComparison.Ordinal);
        Assert.Equal(["config.json"],
            Directory.GetFiles(folder.PathTo("hub"), "*", SearchOption.AllDirectories).Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_download_can_be_canceled()
    {
        Publish("whole");
        using var cancellation = new CancellationTokenSource();
        cancellation.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            hub.DownloadAsync("someone/nano", cancellation: cancellation.Token));
    }

    [Fact]
    public async Task Missing_files_and_invalid_names_are_refused()
    {
        Assert.Contains("config.json",
            (await Assert.ThrowsAsync<HttpRequestException>(() => hub.DownloadAsync("someone/none"))).Message,
            StringComparison.Ordinal);
        Publish("whole");
        server.Files.Remove("model.safetensors");
        Assert.Contains("no weights",
            (await Assert.ThrowsAsync<HttpRequestException>(() => hub.DownloadAsync("someone/nano"))).Message,
            StringComparison.Ordinal);
        foreach (var name in new[] { "nano", "../nano", "a/..", "a/b/c", "a/b?x", "" })
            await Assert.ThrowsAsync<ArgumentException>(() => hub.DownloadAsync(name));
        await Assert.ThrowsAsync<ArgumentException>(() => hub.DownloadAsync("a/b", "../main"));
    }

    private void Publish(string name)
    {
        foreach (var path in Directory.GetFiles(folder.PathTo(name)))
            server.Files[Path.GetFileName(path)] = File.ReadAllBytes(path);
    }

    private sealed class Recorder(List<DownloadProgress> heard) : IProgress<DownloadProgress>
    {
        public void Report(DownloadProgress value) => heard.Add(value);
    }

    /// <summary>
    /// Answers <c>/owner/name/resolve/main/file</c> by a redirect with the checksum, and <c>/cdn/file</c> by its bytes.
    /// </summary>
    private sealed class LoopbackHub : IDisposable
    {
        private readonly HttpListener listener = new();

        public LoopbackHub()
        {
            using (var probe = new TcpListener(IPAddress.Loopback, 0))
            {
                probe.Start();
                Address = new Uri($"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/");
            }
            listener.Prefixes.Add(Address.ToString());
            listener.Start();
            _ = ServeAsync();
        }

        public Uri Address { get; }

        public Dictionary<string, byte[]> Files { get; } = [];

        public Dictionary<string, string> Sha256 { get; } = [];

        public List<string> Requests { get; } = [];

        public int? BreakAfter { get; set; }

        public void Dispose() => listener.Close();

        private async Task ServeAsync()
        {
            while (listener.IsListening)
                try
                {
                    Answer(await listener.GetContextAsync());
                }
                catch (Exception error) when (error is HttpListenerException or ObjectDisposedException or IOException)
                {
                    // the client or the test has gone
                }
        }

        private void Answer(HttpListenerContext context)
        {
            var (request, response) = (context.Request, context.Response);
            var file = request.Url!.Segments[^1];
            Requests.Add($"{request.Url.AbsolutePath} {request.Headers["Range"]}");
            if (!Files.TryGetValue(file, out var bytes)) response.StatusCode = 404;
            else if (request.Url.AbsolutePath.StartsWith("/cdn/", StringComparison.Ordinal)) Send(request, response, bytes);
            else
            {
                response.StatusCode = 302;
                response.Headers["X-Linked-ETag"] =
                    $"\"{Sha256.GetValueOrDefault(file, Convert.ToHexStringLower(SHA256.HashData(bytes)))}\"";
                response.Headers["X-Linked-Size"] = $"{bytes.Length}";
                response.Headers["Location"] = $"/cdn/{file}";
            }
            response.Close();
        }

        private void Send(HttpListenerRequest request, HttpListenerResponse response, byte[] bytes)
        {
            var from = request.Headers["Range"] is { } range
                ? int.Parse(range["bytes=".Length..^1], System.Globalization.CultureInfo.InvariantCulture) : 0;
            if (from > 0)
            {
                response.StatusCode = 206;
                response.Headers["Content-Range"] = $"bytes {from}-{bytes.Length - 1}/{bytes.Length}";
            }
            var send = bytes.AsSpan(from);
            if (BreakAfter is { } limit && send.Length > limit) send = send[..limit];
            response.ContentLength64 = send.Length;
            response.OutputStream.Write(send);
        }
    }
}
