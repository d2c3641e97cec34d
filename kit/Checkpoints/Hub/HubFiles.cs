using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace ResearchKit.Checkpoints;

/// <summary>
/// Downloads files over HTTP, with resumption and checksum verification; a file gets its final name only when
/// it is complete.
/// </summary>
internal sealed partial class HubFiles(Uri address) : IDisposable
{
    private const int MostRedirects = 5, BufferBytes = 1 << 20;

    // Redirects are followed by this class, because the checksum is in the headers of the redirecting response.
    private readonly HttpClient client = new(new SocketsHttpHandler { AllowAutoRedirect = false });

    public Uri Address { get; } = address;

    public void Dispose() => client.Dispose();

    /// <summary>Downloads a file unless it exists locally; returns false if the hub does not have it.</summary>
    public async Task<bool> GetAsync(string place, string path, IProgress<DownloadProgress>? progress,
        CancellationToken cancellation)
    {
        if (File.Exists(path)) return true;
        var part = $"{path}.part";
        var (response, sha256, size) = await AskAsync(new Uri(Address, place), Length(part), cancellation).ConfigureAwait(false);
        using (response)
        {
            if (response.StatusCode == HttpStatusCode.NotFound) return false;
            // the file was downloaded completely before
            if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && Length(part) > 0
                && Length(part) == size) { }
            else if (!response.IsSuccessStatusCode)
                throw new HttpRequestException($"{new Uri(Address, place)} answered with HTTP status "
                    + $"{(int)response.StatusCode} {response.ReasonPhrase}; expected success.", null, response.StatusCode);
            else size = await SaveAsync(response, part, Path.GetFileName(path), size, progress,
                cancellation).ConfigureAwait(false);
        }
        if (size is { } whole && Length(part) < whole)
            throw new HttpRequestException($"{new Uri(Address, place)} ended after {Length(part)} of {whole} bytes; "
                + "the next download resumes there.");
        await CheckAsync(part, sha256, size, cancellation).ConfigureAwait(false);
        File.Move(part, path, overwrite: true);
        return true;
    }

    private async Task<(HttpResponseMessage Response, string? Sha256, long? Size)> AskAsync(Uri place, long from,
        CancellationToken cancellation)
    {
        var sha256 = (string?)null;
        var size = (long?)null;
        for (var redirects = 0; ; redirects++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, place);
            if (from > 0) request.Headers.Range = new RangeHeaderValue(from, null);
            var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead,
                cancellation).ConfigureAwait(false);
            sha256 ??= Checksum(response, ofTheHub: redirects == 0);
            size ??= response.Headers.TryGetValues("X-Linked-Size", out var sizes) && long.TryParse(sizes.First(), out var linked)
                ? linked : null;
            if ((int)response.StatusCode is < 300 or >= 400 || response.Headers.Location is not { } target)
                return (response, sha256, size ?? response.Content.Headers.ContentRange?.Length
                    ?? (response.StatusCode == HttpStatusCode.OK ? response.Content.Headers.ContentLength : null));
            response.Dispose();
            var next = new Uri(place, target);
            if (redirects == MostRedirects || next.Scheme is not ("https" or "http")
                || (place.Scheme == "https" && next.Scheme != "https"))
                throw new HttpRequestException($"{place} redirects to {next}, which is not followed: "
                    + "too many redirects, or an insecure or unknown scheme.");
            place = next;
        }
    }

    private static async Task<long?> SaveAsync(HttpResponseMessage response, string part, string name, long? size,
        IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        var goesOn = response.StatusCode == HttpStatusCode.PartialContent
            && response.Content.Headers.ContentRange?.From == Length(part);
        if (response.StatusCode == HttpStatusCode.PartialContent && !goesOn)
            throw new HttpRequestException($"The hub answered for {name} with another byte range; "
                + $"expected bytes from {Length(part)} on.");
        var file = new FileStream(part, goesOn ? FileMode.Append : FileMode.Create, FileAccess.Write);
        await using (file.ConfigureAwait(false))
        {
            var from = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
            var buffer = new byte[BufferBytes];
            progress?.Report(new DownloadProgress(name, file.Position, size));
            while (await from.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellation)
                .ConfigureAwait(false) is > 0 and var count)
            {
                await file.WriteAsync(buffer.AsMemory(0, count), cancellation).ConfigureAwait(false);
                progress?.Report(new DownloadProgress(name, file.Position, size));
            }
        }
        return size;
    }

    private static async Task CheckAsync(string part, string? sha256, long? size, CancellationToken cancellation)
    {
        var why = size is { } whole && Length(part) != whole ? $"has {Length(part)} bytes; the hub says {whole}" : null;
        if (why is null && sha256 is not null)
        {
            using var stream = File.OpenRead(part);
            var actual = Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellation).ConfigureAwait(false));
            if (actual != sha256) why = $"has the SHA-256 {actual}; the hub says {sha256}";
        }
        if (why is null) return;
        File.Delete(part);
        throw new InvalidDataException($"{part[..^".part".Length]} {why}. The file was deleted.");
    }

    /// <summary>
    /// Returns the SHA-256 from the response's entity tag. Only the hub's tags of large files are checksums; for
    /// other tags it returns null.
    /// </summary>
    private static string? Checksum(HttpResponseMessage response, bool ofTheHub)
    {
        var tag = response.Headers.TryGetValues("X-Linked-ETag", out var linked) ? linked.First()
            : ofTheHub ? response.Headers.ETag?.Tag : null;
        return tag is not null && Sha256().Match(tag) is { Success: true } match ? match.Groups[1].Value.ToLowerInvariant()
            : null;
    }

    private static long Length(string path) => File.Exists(path) ? new FileInfo(path).Length : 0;

    [GeneratedRegex("^(?:W/)?\"?([0-9a-fA-F]{64})\"?$")]
    private static partial Regex Sha256();
}
