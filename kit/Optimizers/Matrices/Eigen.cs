using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Eigendecomposition in float64, on any device.</summary>
internal static class Eigen
{
    /// <summary>
    /// Computes eigenvalues and eigenvectors of a symmetric matrix, in the matrix's dtype and in ascending order.
    /// </summary>
    public static (Tensor Values, Tensor Vectors) Symmetric(Tensor matrix)
    {
        var place = matrix.device_type == DeviceType.MPS ? matrix.cpu() : matrix;   // MPS has no float64
        var (values, vectors) = linalg.eigh(place.to(float64));
        return (values.to(matrix.dtype).to(matrix.device), vectors.to(matrix.dtype).to(matrix.device));
    }
}
