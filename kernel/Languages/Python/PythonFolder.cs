using System.Globalization;
using System.Text;

namespace ResearchKit.Kernel.Languages.Python;

/// <summary>The folder through which this process and a Python share what no one else may read.</summary>
internal sealed class PythonFolder : IDisposable
{
    private readonly string path = Directory.CreateTempSubdirectory("researchkit-python-").FullName;   // for its owner only
    private int files;

    /// <summary>The program that Python runs.</summary>
    public string Program => PathTo("start_python.py");

    /// <summary>Where Python writes down where it listens.</summary>
    public string Connection => PathTo("connection.json");

    public PythonFolder()
    {
        using var program = typeof(PythonFolder).Assembly.GetManifestResourceStream("start_python.py")!;
        using var file = Create("start_python.py");
        program.CopyTo(file);
    }

    /// <summary>A number that no other request has.</summary>
    public string Next() => Interlocked.Increment(ref files).ToString(CultureInfo.InvariantCulture);

    public string PathTo(string name) => Path.Combine(path, name);

    /// <summary>A new file that its owner alone may read.</summary>
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

    /// <summary>Reads a whole file; null where it is not there.</summary>
    public string? Read(string name) => File.Exists(PathTo(name)) ? File.ReadAllText(PathTo(name), Encoding.UTF8) : null;

    /// <summary>Removes all files of a request.</summary>
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
