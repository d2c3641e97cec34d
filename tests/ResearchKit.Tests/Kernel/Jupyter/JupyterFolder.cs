using System.Diagnostics;
using System.Text.Json.Nodes;
using ResearchKit.Kernel.Commands;

namespace ResearchKit.Tests.Kernel.Jupyter;

/// <summary>A folder with the kernel installed for Jupyter's own programs, and with their files apart from the user's.</summary>
internal sealed class JupyterFolder : IDisposable
{
    /// <summary>The name of the installed kernel.</summary>
    public const string KernelName = "test-kernel";
    private const string Python = "/usr/bin/python3";
    private readonly TemporaryFolder folder = new();

    public string PathTo(string name) => folder.PathTo(name);

    public string File(string name, string text) => folder.File(name, text);

    public void Dispose() => folder.Dispose();

    /// <summary>Installs the kernel that was built with the tests; skips the test where a module of Python is missing.</summary>
    public async Task InstallAsync(params string[] modules)
    {
        await RequireAsync(modules);
        using var output = new StringWriter();
        Assert.Equal(0, await CommandLine.InvokeAsync(["kernel", "install", "--prefix", folder.Path, "--name", KernelName],
            output, output));
        var spec = folder.PathTo($"share/jupyter/kernels/{KernelName}/kernel.json");
        var json = JsonNode.Parse(System.IO.File.ReadAllText(spec))!;
        var program = Path.Combine(AppContext.BaseDirectory, "ResearchKit.Kernel.dll");   // this test's own process is no kernel
        json["argv"] = new JsonArray("dotnet", program, "kernel", "start", "{connection_file}");
        System.IO.File.WriteAllText(spec, json.ToJsonString());
    }

    /// <summary>Skips the test where a module of Python is missing.</summary>
    public async Task RequireAsync(params string[] modules)
    {
        Skip.IfNot(System.IO.File.Exists(Python), $"There is no {Python}, which Jupyter's own programs need.");
        foreach (var module in modules)
        {
            using var process = Start("-c", $"import {module}");
            await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync();
            Skip.If(process.ExitCode != 0, $"Python's {module} is not installed (see .ci/run).");
        }
    }

    /// <summary>Runs Python to its end.</summary>
    /// <returns>What it printed; of a list of kernels also what it complained, since the list is written to either, by
    /// version.</returns>
    public async Task<string> RunAsync(params string[] arguments)
    {
        using var process = Start(arguments);
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(180));
        Assert.True(process.ExitCode == 0, await errors);
        return await output + (arguments.Contains("list") ? await errors : "");
    }

    /// <summary>Starts Python.</summary>
    public Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(Python, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder.Path,
        };
        start.Environment["JUPYTER_PATH"] = folder.PathTo("share/jupyter");
        start.Environment["JUPYTER_DATA_DIR"] = folder.PathTo("data");
        start.Environment["JUPYTER_RUNTIME_DIR"] = folder.PathTo("runtime");
        start.Environment["JUPYTER_CONFIG_DIR"] = folder.PathTo("config");
        return Process.Start(start)!;
    }
}
