using System.Net;
using System.Text.RegularExpressions;

namespace ResearchKit.Checkpoints;

/// <summary>Download progress of a file.</summary>
/// <param name="File">Name of the file.</param>
/// <param name="Bytes">Bytes downloaded so far, including those of earlier attempts.</param>
/// <param name="Total">Size of the whole file in bytes; null if the hub does not report it.</param>
public readonly record struct DownloadProgress(string File, long Bytes, long? Total);

/// <summary>
/// Downloads published models by <c>owner/name</c> from a hub with the interface of huggingface.co. Nothing
/// else in the kit uses the network.
/// </summary>
/// <remarks>
/// A file is downloaded under a name that ends in <c>.part</c>, resumes where an earlier attempt stopped, and
/// gets its final name when it is complete and, if the hub reports a SHA-256, its checksum matches.
/// </remarks>
public sealed partial class PretrainedHub : IDisposable
{
    private const string FirstPyTorch = "pytorch_model.bin", PyTorchIndex = "pytorch_model.bin.index.json";
    private readonly HubFiles files;

    /// <param name="address">Address of the hub.</param>
    /// <param name="folder">
    /// Folder for downloaded models; null for <c>researchkit/hub</c> in the user's application-data folder.
    /// </param>
    public PretrainedHub(Uri? address = null, string? folder = null)
    {
        files = new HubFiles(address ?? new Uri("https://huggingface.co/"));
        Folder = folder
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "researchkit", "hub");
    }

    /// <summary>Folder for downloaded models.</summary>
    public string Folder { get; }

    /// <summary>
    /// Downloads a model's configuration and weights; files that exist locally are not requested again.
    /// </summary>
    /// <param name="name">Name of the model, such as <c>openai-community/gpt2</c>.</param>
    /// <param name="revision">A branch, a tag or a commit.</param>
    /// <param name="progress">Receives a report after each megabyte.</param>
    /// <param name="cancellation">
    /// Cancels the download; the bytes received so far are kept for the next attempt.
    /// </param>
    /// <returns>The model's folder, for <c>FromPretrained</c>.</returns>
    /// <exception cref="ArgumentException">The name or the revision is malformed.</exception>
    /// <exception cref="HttpRequestException">The hub does not answer, or it does not have the file.</exception>
    /// <exception cref="InvalidDataException">
    /// The size or checksum of a file differs from what the hub reports; the file is deleted.
    /// </exception>
    public async Task<string> DownloadAsync(string name, string revision = "main", IProgress<DownloadProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        if (!Name().IsMatch(name) || name.Contains("..", StringComparison.Ordinal))
            throw new ArgumentException($"'{name}' is not the name of a model; expected owner/name.", nameof(name));
        if (!Revision().IsMatch(revision) || revision.Contains("..", StringComparison.Ordinal))
            throw new ArgumentException($"'{revision}' is not a revision; "
                + "expected a branch, a tag or a commit.", nameof(revision));
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
        throw new HttpRequestException($"{files.Address}{name} has no weights in a format that the kit "
            + "reads.", null, HttpStatusCode.NotFound);
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
