using System.Formats.Tar;
using System.Text;
using static TorchSharp.torch;

namespace ResearchKit.Data;

/// <summary>Audio recordings with a class label each.</summary>
/// <param name="Clips">The recordings.</param>
/// <param name="Names">Name of each recording.</param>
/// <param name="Labels">Class of each recording; indexes into <paramref name="ClassNames"/>.</param>
/// <param name="ClassNames">Name of each class, by label.</param>
public sealed record AudioSet(IReadOnlyList<AudioClip> Clips, IReadOnlyList<string> Names, IReadOnlyList<long> Labels,
    IReadOnlyList<string> ClassNames) : IDisposable
{
    /// <summary>
    /// Opens the data set <c>voice-prompts</c>: the same prompts in the given languages, or in all five.
    /// </summary>
    /// <param name="split">
    /// Which prompts: "train", "test", or null for all. All languages of a prompt are in the same split.
    /// </param>
    /// <param name="languages">
    /// A choice of en, es, fr, it, ru. English and Spanish have the same speaker and are the fair pair: the
    /// languages of any other pair can be told apart by the voice alone.
    /// </param>
    /// <exception cref="ArgumentException">The data set lacks the split or a language.</exception>
    public static AudioSet VoicePrompts(string? split = null, params string[] languages)
    {
        var set = DataSets.Open("voice-prompts");
        var files = TarFiles(set.ReadBytes("voice-prompts.tar.gz"), "voice-prompts.tar.gz");
        var metadata = CsvTable.Parse(Encoding.UTF8.GetString(files["metadata.csv"]), name: "metadata.csv");
        var rows = metadata.Rows.Select(row => (File: row[metadata.IndexOf("file")], Language: row[metadata.IndexOf("language")],
            Split: row[metadata.IndexOf("split")])).ToList();
        string[] classes = languages.Length > 0 ? languages
            : [.. rows.Select(row => row.Language).Distinct().Order(StringComparer.Ordinal)];
        foreach (var language in classes)
            if (rows.All(row => row.Language != language)) throw new ArgumentException($"There is no language '{language}'; "
                + $"there are {string.Join(", ", rows.Select(row => row.Language).Distinct())}.", nameof(languages));
        if (split is not null && rows.All(row => row.Split != split))
            throw new ArgumentException($"There is no split '{split}'; there are "
                + $"{string.Join(", ", rows.Select(row => row.Split).Distinct())}.", nameof(split));
        var chosen = rows.Where(row => (split is null || row.Split == split) && classes.Contains(row.Language)).ToList();
        return new AudioSet([.. chosen.Select(row => WavFile.Parse(files[row.File], row.File))],
            [.. chosen.Select(row => Path.GetFileNameWithoutExtension(row.File))],
            [.. chosen.Select(row => (long)Array.IndexOf(classes, row.Language))], classes);
    }

    /// <summary>
    /// Returns all recordings as one tensor, padded with silence at the end, and the length of each. Channels are
    /// averaged.
    /// </summary>
    /// <returns>Float32 [count, time], and the length of each recording in samples, int64 [count].</returns>
    /// <exception cref="InvalidOperationException">The clips have different sample rates.</exception>
    public (Tensor Samples, Tensor Lengths) Padded()
    {
        if (Clips.Select(clip => clip.SampleRate).Distinct().Count() > 1)
            throw new InvalidOperationException("The clips have the sample rates "
                + $"{string.Join(", ", Clips.Select(clip => clip.SampleRate).Distinct())}; resample them to one.");
        using var scope = NewDisposeScope();
        var lengths = Clips.Select(clip => clip.Samples.shape[1]).ToArray();
        var samples = zeros(Clips.Count, lengths.DefaultIfEmpty().Max());
        for (var row = 0; row < Clips.Count; row++)
            if (lengths[row] > 0) samples[row].narrow(0, 0, lengths[row]).copy_(Clips[row].Samples.mean([0]));
        return (samples.MoveToOuterDisposeScope(), tensor(lengths).MoveToOuterDisposeScope());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var clip in Clips) clip.Dispose();
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Clips.Count} clips, {Clips.Sum(clip => clip.Seconds):f0} s, of {string.Join(", ", ClassNames)}";

    private static Dictionary<string, byte[]> TarFiles(byte[] tar, string name)
    {
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        using var reader = new TarReader(new MemoryStream(tar));
        while (reader.GetNextEntry(copyData: false) is { } entry)
        {
            if (entry.DataStream is not { } data) continue;
            using var content = new MemoryStream();
            data.CopyTo(content);
            if (!files.TryAdd(entry.Name, content.ToArray()))
                throw new InvalidDataException($"{name} holds '{entry.Name}' twice.");
        }
        return files;
    }
}
