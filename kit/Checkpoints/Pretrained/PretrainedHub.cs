using System.Net;
using System.Text.RegularExpressions;

namespace ResearchKit.Checkpoints;

/// <summary>How much of a file has come.</summary>
/// <param name="File">Its name.</param>
/// <param name="Bytes">Bytes that are here, those of an earlier attempt included.</param>
/// <param name="Total">Bytes of the whole file; null where the hub does not say.</param>
public readonly record struct DownloadProgress(string File, long Bytes, long? Total);

/// <summary>
/// Downloads published models by <c>owner/name</c> from a hub that speaks as huggingface.co does. Nothing else in the kit uses
/// the network.
/// </summary>
/// <remarks>
/// A file grows under a name with <c>.part</c>, goes on where an earlier attempt stopped, and gets its own name when it is whole
/// and, where the hub says its SHA-256, has that.
/// </remarks>
public sealed partial class PretrainedHub : IDisposable
{
    private const string FirstPyTorch = "pytorch_model.bin", PyTorchIndex = "pytorch_model.bin.index.json";
    private readonly HubFiles files;

    /// <param name="address">Where the hub is.</param>
    /// <param name="folder">
    /// Where models are kept; null for <c>researchkit/hub</c> in the user's folder of application data.
    /// </param>
    public PretrainedHub(Uri? address = null, string? folder = null)
    {
        files = new HubFiles(address ?? new Uri("https://huggingface.co/"));
        Folder = folder
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "researchkit", "hub");
    }

    /// <summary>Where models are kept.</summary>
    public string Folder { get; }

    /// <summary>Downloads a model's configuration and weights; what is here already is not asked for again.</summary>
    /// <param name="name">Such as <c>openai-community/gpt2</c>.</param>
    /// <param name="revision">A branch, a tag or a commit.</param>
    /// <param name="progress">Hears of each megabyte.</param>
    /// <param name="cancellation">Stops; what has come stays for the next attempt.</param>
    /// <returns>The folder, for <c>FromPretrained</c>.</returns>
    /// <exception cref="ArgumentException">Not a name, or not a revision.</exception>
    /// <exception cref="HttpRequestException">The hub does not answer, or not with the file.</exception>
    /// <exception cref="InvalidDataException">A file does not have the checksum that the hub says; it is not kept.</exception>
    public async Task<string> DownloadAsync(string name, string revision = "main", IProgress<DownloadProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        if (!Name().IsMatch(name) || name.Contains("..", StringComparison.Ordinal))
            throw new ArgumentException($"'{name}' is not the name of a model; expected owner/name.", nameof(name));
        if (!Revision().IsMatch(revision) || revision.Contains("..", StringComparison.Ordinal))
            throw new ArgumentException($"'{revision}' is not a revision.", nameof(revision));
        var folder = Path.Combine(Folder, name.Replace("/", "--", StringComparison.Ordinal), revision);
        Directory.CreateDirectory(folder);

        Task<bool> GetAsync(string file) =>
            files.GetAsync($"{name}/resolve/{revision}/{file}", Path.Combine(folder, file), progress, cancellation);
        Task NeedAsync(string file) => RequireAsync(GetAsync(file), name, file);
        await NeedAsync(CheckpointFolder.Config).ConfigureAwait(false);
        if (await GetAsync(CheckpointFolder.Safetensors).ConfigureAwait(false)) return folder;
        foreach (var index in new[] { CheckpointFolder.SafetensorsIndex, PyTorchIndex })
        {
            if (index == PyTorchIndex && await GetAsync(FirstPyTorch).ConfigureAwait(false)) return folder;
            if (!await GetAsync(index).ConfigureAwait(false)) continue;
            foreach (var (shard, _) in ShardIndex.Read(Path.Combine(folder, index)))
                await NeedAsync(Path.GetFileName(shard)).ConfigureAwait(false);
            return folder;
        }
        throw new HttpRequestException($"{files.Address}{name} has no weights that the kit reads.", null,
            HttpStatusCode.NotFound);
    }

    /// <inheritdoc/>
    public void Dispose() => files.Dispose();

    private async Task RequireAsync(Task<bool> download, string name, string file)
    {
        if (!await download.ConfigureAwait(false))
            throw new HttpRequestException($"{files.Address}{name} has no {file}.", null, HttpStatusCode.NotFound);
    }

    [GeneratedRegex(@"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$", RegexOptions.ECMAScript)]
    private static partial Regex Name();

    [GeneratedRegex(@"^[A-Za-z0-9][\w.-]*$", RegexOptions.ECMAScript)]
    private static partial Regex Revision();
}
