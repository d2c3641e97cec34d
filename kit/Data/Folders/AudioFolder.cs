namespace ResearchKit.Data;

/// <summary>Recordings in folders, one folder for each class. They are read when a batch needs them.</summary>
public sealed class AudioFolder
{
    private readonly ClassFolders content;

    private AudioFolder(ClassFolders content) => this.content = content;

    /// <summary>Finds the recordings: WAV, MP3 and Ogg Vorbis in the folder of each class and in the folders inside.</summary>
    /// <param name="path">Folder of the class folders. Classes are in the order of numbers if their names are numbers.</param>
    /// <param name="broken">What happens with recordings that cannot be read.</param>
    /// <param name="progress">Is told the share of the recordings that were checked, where broken ones are skipped.</param>
    /// <param name="cancellation">Ends the check.</param>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="InvalidDataException">There is no class, or one without recordings.</exception>
    public static AudioFolder Open(string path, BrokenFiles broken = BrokenFiles.Refuse, IProgress<double>? progress = null,
        CancellationToken cancellation = default)
    {
        var content = ClassFolders.List(path, "recordings", AudioFile.Endings);
        return new AudioFolder(broken == BrokenFiles.Refuse ? content
            : content.WithoutBroken(file => AudioFile.Read(file).Dispose(), progress, cancellation));
    }

    /// <summary>Number of recordings.</summary>
    public int Count => content.Files.Count;

    /// <summary>The files.</summary>
    public IReadOnlyList<string> Files => content.Files;

    /// <summary>Class of each recording; indexes into <see cref="ClassNames"/>.</summary>
    public IReadOnlyList<long> Labels => content.Labels;

    /// <summary>Name of each class, by label.</summary>
    public IReadOnlyList<string> ClassNames => content.ClassNames;

    /// <summary>The recordings that were left out.</summary>
    public IReadOnlyList<BrokenFile> Broken => content.Broken;

    /// <summary>Reads a recording.</summary>
    /// <exception cref="InvalidDataException">The file is damaged; the message names it.</exception>
    public AudioClip Read(int number) => AudioFile.Read(Files[number]);

    /// <summary>Divides the recordings at random; each class has its share in both parts.</summary>
    /// <param name="testShare">Share of the test part, above 0 and below 1.</param>
    /// <param name="seed">Seed of the division.</param>
    public (AudioFolder Train, AudioFolder Test) Split(double testShare = 0.2, int seed = 1337)
    {
        var (train, test) = content.Split(testShare, seed);
        return (new AudioFolder(train), new AudioFolder(test));
    }

    /// <summary>
    /// Makes examples: inputs float32 [batch, time], or [batch, frames, bands] with log-mel features; <c>lengths</c> int64
    /// [batch]; and the labels.
    /// </summary>
    public IExamples Examples(AudioPipeline pipeline)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        return new AudioExamples(number => Read((int)number), Labels, pipeline);
    }

    /// <inheritdoc/>
    public override string ToString() => content.Summary("recordings");
}
