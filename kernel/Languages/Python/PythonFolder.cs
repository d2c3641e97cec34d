using System.Globalization;
using System.Text;

namespace ResearchKit.Kernel.Languages.Python;

/// <summary>A temporary folder for the exchange with a Python process, readable only by its owner.</summary>
internal sealed class PythonFolder : IDisposable
{
    // created with access for its owner only
    private readonly string path = Directory.CreateTempSubdirectory("researchkit-python-").FullName;
    private int files;

    /// <summary>The script that the Python process runs.</summary>
    public string Program => PathTo("start_python.py");

    /// <summary>The connection file, which Python writes.</summary>
    public string Connection => PathTo("connection.json");

    public PythonFolder()
    {
        using var program = typeof(PythonFolder).Assembly.GetManifestResourceStream("start_python.py")!;
        using var file = Create("start_python.py");
        program.CopyTo(file);
    }

    /// <summary>Returns a unique number for a request.</summary>
    public string Next() => Interlocked.Increment(ref files).ToString(CultureInfo.InvariantCulture);

    public string PathTo(string name) => Path.Combine(path, name);

    /// <summary>Creates a file that only its owner can read.</summary>
    public FileStream Create(string name)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(PathTo(name), options);
    }

    public void Write(string name, ReadOnlySpan<byte> content)
    {
        using var file = Create(name);
        file.Write(content);
    }

    /// <summary>Returns the text of a file; null if it does not exist.</summary>
    public string? Read(string name) => File.Exists(PathTo(name)) ? File.ReadAllText(PathTo(name), Encoding.UTF8) : null;

    /// <summary>Deletes all files of a request.</summary>
    public void Remove(string number)
    {
        foreach (var file in Directory.EnumerateFiles(path, $"{number}.*")) File.Delete(file);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
    }
}
