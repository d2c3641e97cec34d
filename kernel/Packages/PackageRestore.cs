using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security;
using System.Text.RegularExpressions;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Packages;

/// <summary>Restores packages by running <c>dotnet restore</c> on a temporary project.</summary>
/// <remarks>The user's NuGet.Config applies; it is searched from the notebook's folder upward.</remarks>
internal static partial class PackageRestore
{
    public static async Task<PackageAssets> RunAsync(
        IReadOnlyList<PackageRequest> packages, IReadOnlyList<string> sources, string folder, int line,
        CancellationToken cancellation)
    {
        var project = Directory.CreateTempSubdirectory("researchkit-packages-");
        try
        {
            var file = Path.Combine(project.FullName, "packages.csproj");
            await File.WriteAllTextAsync(file, Project(packages, sources, folder), cancellation).ConfigureAwait(false);
            var (exit, output) = await RestoreAsync(project.FullName, cancellation).ConfigureAwait(false);
            if (exit != 0) throw Failed(packages, output, line);
            return PackageAssets.Read(Path.Combine(project.FullName, "obj", "project.assets.json"),
                RuntimeInformation.RuntimeIdentifier);
        }
        finally
        {
            project.Delete(recursive: true);
        }
    }

    private static string Project(IReadOnlyList<PackageRequest> packages, IReadOnlyList<string> sources, string folder) => $"""
        <Project>
          <PropertyGroup>
            <ImportDirectoryBuildProps>false</ImportDirectoryBuildProps>
            <ImportDirectoryBuildTargets>false</ImportDirectoryBuildTargets>
            <ImportDirectoryPackagesProps>false</ImportDirectoryPackagesProps>
          </PropertyGroup>
          <Import Project="Sdk.props" Sdk="Microsoft.NET.Sdk" />
          <PropertyGroup>
            <TargetFramework>net{Environment.Version.Major}.{Environment.Version.Minor}</TargetFramework>
            <RuntimeIdentifier>{RuntimeInformation.RuntimeIdentifier}</RuntimeIdentifier>
            <SelfContained>false</SelfContained>
            <UseAppHost>false</UseAppHost>
            <NuGetAudit>false</NuGetAudit>
            <RestoreAdditionalProjectSources>{SecurityElement.Escape(string.Join(';', sources))}</RestoreAdditionalProjectSources>
            <RestoreRootConfigDirectory>{SecurityElement.Escape(folder)}</RestoreRootConfigDirectory>
          </PropertyGroup>
          <ItemGroup>
        {string.Join('\n', packages.Select(Item))}
          </ItemGroup>
          <Import Project="Sdk.targets" Sdk="Microsoft.NET.Sdk" />
        </Project>
        """;

    private static string Item(PackageRequest package)
    {
        var (id, version) = (SecurityElement.Escape(package.Id), SecurityElement.Escape(package.Version ?? "*"));
        return $"""    <PackageReference Include="{id}" Version="{version}" />""";
    }

    private static async Task<(int Exit, string Output)> RestoreAsync(string project, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(DotnetPath(), ["restore", "packages.csproj", "--nologo", "-v:quiet", "-nodeReuse:false"])
        {
            WorkingDirectory = project,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase))
            .ToList())
            start.Environment.Remove(name);   // a surrounding build or test run sets these for itself
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        start.Environment["DOTNET_NOLOGO"] = "1";
        using var process = Started(start);
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(cancellation),
            process.StandardError.ReadToEndAsync(cancellation));
        try
        {
            await process.WaitForExitAsync(cancellation).ConfigureAwait(false);
            return (process.ExitCode, await output.ConfigureAwait(false) + await errors.ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    private static Process Started(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            throw CellException.Plain(
                "PackageError",
                $"#r \"nuget: …\" needs the .NET SDK, and '{start.FileName}' could not be started: {error.Message}");
        }
    }

    private static string DotnetPath()
    {
        var name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        var shared = Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", name);
        return Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } host && File.Exists(host) ? host
            : File.Exists(shared) ? Path.GetFullPath(shared) : name;
    }

    private static CellException Failed(IReadOnlyList<PackageRequest> packages, string output, int line)
    {
        var errors = ErrorLine().Matches(output)
            .Select(match => $"{match.Groups[1].Value}: {match.Groups[2].Value.Trim()}").Distinct().ToList();
        if (errors.Count == 0) errors.Add(output.Trim());
        var names = string.Join(", ", packages.Select(package => $"{package.Id} {package.Version}".Trim()));
        var message = $"({line},1): #r \"nuget: {names}\" could not be restored. {errors[0]}";
        return new CellException("PackageError", message, [message, .. errors.Skip(1)], line);
    }

    [GeneratedRegex(@"error ([A-Z]+\d+): (.*?)(?: \[[^\]\r\n]*\])?\r?$", RegexOptions.Multiline)]
    private static partial Regex ErrorLine();
}
